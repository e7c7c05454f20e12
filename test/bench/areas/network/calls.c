/**
 * Starts a program many times, as a container runtime does, and prints what each call took: `calls <times> <config> <socket> <program>`;
 * `-` for the socket: the program asks nobody. Behind the socket another process plays the agent, and its time is told apart: from the connection taken to the answer written.
 * In C, so that what starts the program is small and quick beside it: Node alone takes longer for a spawn than a call may.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char RESULT[] =
    "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:67:0a:6e:02:25\",\"sandbox\":\"/var/run/netns/cni-0a1b2c3d\"}],"
    "\"ips\":[{\"interface\":0,\"address\":\"10.110.2.37/22\",\"gateway\":\"10.110.0.1\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.110.0.1\"}]}";

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

static int listening(const char *path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
  unlink(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  or_die(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && chmod(path, 0600) == 0 && listen(fd, 16) == 0, path);
  return fd;
}

/** Reads a whole call, answers it, and notes what that took. */
static void play_agent(int listener, int notes) {
  static char call[1 << 20];
  char answer[1024];
  int size = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                      sizeof RESULT - 1, RESULT);
  for (;;) {
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    or_die(connection >= 0, "accept");
    double from = now_us();
    size_t got = 0, whole = sizeof call;
    while (got < whole) {
      ssize_t more = read(connection, call + got, sizeof call - 1 - got);
      or_die(more > 0, "read");
      got += (size_t)more;
      call[got] = 0;
      char *end = strstr(call, "\r\n\r\n"), *length = strstr(call, "Content-Length: ");
      if (end != NULL && length != NULL) whole = (size_t)(end + 4 - call) + strtoul(length + 16, NULL, 10);
    }
    or_die(write(connection, answer, (size_t)size) == size, "write");
    double took = now_us() - from;
    close(connection);
    or_die(write(notes, &took, sizeof took) == sizeof took, "write");
  }
}

int main(int count, char **args) {
  or_die(count == 5, "calls <times> <config> <socket> <program>");
  int times = atoi(args[1]), notes[2];
  int listener = strcmp(args[3], "-") == 0 ? -1 : listening(args[3]);
  or_die(pipe2(notes, O_CLOEXEC) == 0, "pipe");
  pid_t agent = listener < 0 ? 0 : fork();
  or_die(agent >= 0, "fork");
  if (agent == 0 && listener >= 0) play_agent(listener, notes[1]);

  char *env[] = {"CNI_COMMAND=ADD",
                 "CNI_CONTAINERID=f2a4c0e1b7d94c1fa0f5d2b6e8139c7a50d1e2f3a4b5c6d7e8f90a1b2c3d4e5f",
                 "CNI_NETNS=/var/run/netns/cni-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
                 "CNI_IFNAME=eth0",
                 "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=feed;K8S_POD_NAME=feed-api-0611;K8S_POD_UID=0f8fad5b-d9cb-469f-a165-70867728950e",
                 "CNI_PATH=/opt/cni/bin",
                 NULL};
  for (int i = 0; i < times; i++) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, args[2], O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int status;
    struct rusage used;
    double from = now_us(), of_agent = 0;
    or_die(posix_spawn(&child, args[4], &files, NULL, (char *[]){args[4], NULL}, env) == 0, args[4]);
    or_die(wait4(child, &status, 0, &used) == child && status == 0, args[4]);
    double took = now_us() - from;
    or_die(listener < 0 || read(notes[0], &of_agent, sizeof of_agent) == sizeof of_agent, "no note of the agent");
    printf("%.1f %.1f %ld\n", took, of_agent, used.ru_maxrss);
    posix_spawn_file_actions_destroy(&files);
  }
  if (agent == 0) return 0;
  kill(agent, SIGKILL);
  waitpid(agent, NULL, 0);
  return 0;
}
