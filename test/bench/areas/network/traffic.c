/**
 * Traffic between two pods, one process an end:
 *
 *     traffic take <port> <ms>       one connection: what comes within so long, from its first byte; prints bytes and microseconds
 *     traffic send <ip> <port>       as much as goes, until the other end is content
 *     traffic echo <port>            one connection: answers each 64 bytes with the same
 *     traffic ask <ip> <port> <n>    so many round trips, one after the other; prints the median in microseconds
 *     traffic first <ip>             one ICMP echo request, and no second: prints the microseconds until its answer, or ends with 1
 *
 * In C, so that what is measured is the kernel's way between two namespaces, and no runtime beside it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 64
#define CONNECT_TRIES 500
#define LONGEST_WAIT_S 20
/** A first packet whose answer takes longer was lost. */
#define FIRST_WAIT_S 1

static void or_die(int is_well, const char *what) {
  if (is_well) return;
  perror(what);
  exit(1);
}

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static struct sockaddr_in name_of(const char *ip, const char *port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  or_die(inet_pton(AF_INET, ip, &name.sin_addr) == 1, ip);
  return name;
}

static int accepted(const char *port) {
  struct sockaddr_in name = name_of("0.0.0.0", port);
  int on = 1;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  or_die(bind(listener, (struct sockaddr *)&name, sizeof name) == 0, "bind");
  or_die(listen(listener, 1) == 0, "listen");
  alarm(LONGEST_WAIT_S);
  int fd = accept(listener, NULL, NULL);
  or_die(fd >= 0, "accept");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/** The other end may be about to listen. */
static int connected(const char *ip, const char *port) {
  struct sockaddr_in name = name_of(ip, port);
  int on = 1;
  for (int tries = 0; tries < CONNECT_TRIES; tries++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0) {
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return fd;
    }
    close(fd);
    usleep(10000);
  }
  perror("connect");
  exit(1);
}

static char buffer[128 * 1024];

static int take(const char *port, double ms) {
  int fd = accepted(port);
  ssize_t got = read(fd, buffer, sizeof buffer);
  or_die(got > 0, "read");
  double began = now_us(), now = began, bytes = 0;
  // Not the first ones: how long they took to come is not known.
  while (now - began < ms * 1000 && (got = read(fd, buffer, sizeof buffer)) > 0) {
    bytes += (double)got;
    now = now_us();
  }
  printf("%.0f %.0f\n", bytes, now - began);
  return 0;
}

static int send_all(const char *ip, const char *port) {
  int fd = connected(ip, port);
  signal(SIGPIPE, SIG_IGN);
  while (write(fd, buffer, sizeof buffer) > 0) continue;
  return errno == EPIPE || errno == ECONNRESET ? 0 : 1;
}

/** @return whether all of them went, or came */
static int whole(int fd, ssize_t (*io)(int, void *, size_t)) {
  for (size_t done = 0; done < MESSAGE;) {
    ssize_t some = io(fd, buffer + done, MESSAGE - done);
    if (some <= 0) return 0;
    done += (size_t)some;
  }
  return 1;
}

static ssize_t writing(int fd, void *from, size_t size) { return write(fd, from, size); }

static int echo(const char *port) {
  int fd = accepted(port);
  while (whole(fd, read) && whole(fd, writing)) continue;
  return 0;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static int ask(const char *ip, const char *port, int count) {
  int fd = connected(ip, port);
  double *took = calloc((size_t)count, sizeof *took);
  for (int at = 0; at < count; at++) {
    double began = now_us();
    or_die(whole(fd, writing) && whole(fd, read), "round trip");
    took[at] = now_us() - began;
  }
  qsort(took, (size_t)count, sizeof *took, ascending);
  printf("%.2f\n", took[count / 2]);
  return 0;
}

static uint16_t checksum(const void *data, size_t words) {
  const uint16_t *at = data;
  uint32_t sum = 0;
  for (size_t word = 0; word < words; word++) sum += at[word];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static int first(const char *ip) {
  struct sockaddr_in name = name_of(ip, "0");
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  or_die(fd >= 0, "socket");
  uint16_t id = (uint16_t)getpid();
  struct icmphdr request = {.type = ICMP_ECHO, .un.echo = {.id = id, .sequence = 1}};
  request.checksum = checksum(&request, sizeof request / 2);
  struct timeval wait = {.tv_sec = FIRST_WAIT_S};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  double began = now_us();
  or_die(sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&name, sizeof name) > 0, "sendto");
  while (now_us() - began < FIRST_WAIT_S * 1e6) {
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0) break;
    // An IPv4 header without options comes before it.
    const struct icmphdr *answer = (const void *)(buffer + 20);
    if (got < 28 || answer->type != ICMP_ECHOREPLY || answer->un.echo.id != id) continue;
    printf("%.0f\n", now_us() - began);
    return 0;
  }
  return 1;
}

int main(int count, char **words) {
  const char *verb = count > 1 ? words[1] : "";
  if (count == 4 && strcmp(verb, "take") == 0) return take(words[2], atof(words[3]));
  if (count == 4 && strcmp(verb, "send") == 0) return send_all(words[2], words[3]);
  if (count == 3 && strcmp(verb, "echo") == 0) return echo(words[2]);
  if (count == 5 && strcmp(verb, "ask") == 0) return ask(words[2], words[3], atoi(words[4]));
  if (count == 3 && strcmp(verb, "first") == 0) return first(words[2]);
  fputs("traffic take|send|echo|ask|first: see its source\n", stderr);
  return 2;
}
