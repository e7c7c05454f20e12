/**
 * gala-probe: who answers for addresses on a link, asked by ARP and neighbour discovery. `gala cni` runs it before an address is
 * wired, since Node.js has no raw sockets; what follows from the answers is decided there (lib/network/probing).
 *
 *   in    gala-probe <link> <waitMs> <question>…
 *           free:<ip>[,not:<mac>]      whether anybody has it; `not`: whose word does not count; `only:<mac>` in its place: whose alone does
 *           answers:<ip>[,from:<ip>]   whether it is there, as a gateway should be; `from`: asked in the name of that address
 *   out   {"answered":[{"ip":…,"mac":…}…],"probing":[…],"silent":["…"]}   each address asked for stands in one of them, as it was written
 *         `probing`: somebody else is asking whether it is free, at this moment, and says nothing more
 *   exit  0 asked · 1 it could not be asked, stderr says why · 2 the arguments are wrong
 *
 * All questions are asked in one wait, three times each; it ends early once each has its answer. Frames are sent with the link's own
 * MAC address, so that a switch which counts MACs on its port sees none that is new. They leave through a MacVlan in a network
 * namespace of this process' own: what a link itself sends never comes to the MacVlans on it, and pods of this host are on those.
 * Nothing is left when it ends, however it ends. Memory is fixed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "frames.h"
#include "json.h"

enum {
  QUESTIONS_MAX = 256,
  WORD_MAX = 128,
  WAIT_LEAST_MS = 50,
  WAIT_MOST_MS = 30000,
  /** PROBE_NUM of RFC 5227, 1.1: one may be lost. */
  TIMES = 3,
  /** Linux says a little later than a link is up that it has a carrier (net/core/link_watch.c: within a second). */
  CARRIER_WAIT_MS = 1000,
  NAP_MS = 10,
  /** Between two frames. */
  GAP_US = 1000,
  /** Frames that are read before it is looked again whether one is to be sent. */
  BATCH = 64,
  FRAME_MAX = 2048,
  /** Of what comes in a burst: 256 answers, and whatever the VLAN says of itself meanwhile. */
  RECEIVE_BYTES = 4 << 20,
  /** Below 1280, the least of IPv6, so that the kernel sends nothing by itself on the MacVlan (net/ipv6/addrconf.c). */
  PROBE_MTU = 576,
  BAD_INPUT = 2,
  FAILED = 1,
};

__attribute__((noreturn, format(printf, 2, 3))) static void fail(int status, const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("gala-probe: ", stderr);
  vfprintf(stderr, format, values);
  fputs("\n", stderr);
  va_end(values);
  exit(status);
}

struct question_asked {
  /** As it was written. */
  char text[INET6_ADDRSTRLEN];
  struct address address;
  /** Else: `answers`. */
  bool is_free;
  bool has_not, has_only, has_from;
  /** Of `not` or `only`. */
  uint8_t who[MAC_SIZE];
  struct address from;
  /** NOTHING: silent so far. */
  enum heard_kind heard;
  uint8_t mac[MAC_SIZE];
};

static struct question_asked questions[QUESTIONS_MAX];
static int count;

static bool is_address(const char *text, struct address *address) {
  memset(address, 0, sizeof *address);
  address->is_v6 = strchr(text, ':') != NULL;
  return strlen(text) < INET6_ADDRSTRLEN && inet_pton(address->is_v6 ? AF_INET6 : AF_INET, text, address->bytes) == 1;
}

static int digit_of(char letter) {
  const char *at = letter == 0 ? NULL : strchr("0123456789abcdef", letter);
  return at == NULL ? -1 : (int)(at - "0123456789abcdef");
}

static bool is_mac(const char *text, uint8_t mac[MAC_SIZE]) {
  if (strlen(text) != 3 * MAC_SIZE - 1) return false;
  for (int i = 0; i < MAC_SIZE; i++, text += 3) {
    int high = digit_of(text[0]), low = digit_of(text[1]);
    if (high < 0 || low < 0 || (i < MAC_SIZE - 1 && text[2] != ':')) return false;
    mac[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

static void read_address(const char *word, const char *text, struct address *address) {
  if (!is_address(text, address) || !is_of_host(address))
    fail(BAD_INPUT, "'%s': '%s' is no address that a host can have. Give an IPv4 or IPv6 address, such as free:10.110.2.37.", word, text);
}

/** @param word of which the part after the first comma is read, where there is one */
static void read_option(const char *word, const char *option, struct question_asked *asked) {
  asked->has_not = strncmp(option, "not:", 4) == 0 && asked->is_free;
  asked->has_only = strncmp(option, "only:", 5) == 0 && asked->is_free;
  if (asked->has_not || asked->has_only) {
    const char *mac = strchr(option, ':') + 1;
    if (!is_mac(mac, asked->who))
      fail(BAD_INPUT, "'%s': '%s' is no MAC address. Give six lower-case hex octets, such as not:02:67:0a:6e:02:25.", word, mac);
    return;
  }
  if (strncmp(option, "from:", 5) == 0 && !asked->is_free) {
    asked->has_from = true;
    read_address(word, option + 5, &asked->from);
    if (asked->from.is_v6 != asked->address.is_v6) fail(BAD_INPUT, "'%s': one address is IPv4, the other IPv6. Give two of one kind.", word);
    return;
  }
  fail(BAD_INPUT, "'%s': '%s' is no option of it. A question is free:<ip>[,not:<mac>|,only:<mac>] or answers:<ip>[,from:<ip>].", word, option);
}

static void read_question(const char *given) {
  char word[WORD_MAX + 1];
  if (strlen(given) > WORD_MAX) fail(BAD_INPUT, "'%.40s…' has %zu bytes; a question has at most %d.", given, strlen(given), WORD_MAX);
  if (!is_plain_text(given)) fail(BAD_INPUT, "a question has control characters, or bytes that are no UTF-8. Give it plain text.");
  strcpy(word, given);
  char *option = strchr(word, ',');
  if (option != NULL) *option++ = 0;

  struct question_asked *asked = &questions[count];
  asked->is_free = strncmp(word, "free:", 5) == 0;
  const char *text = asked->is_free ? word + 5 : word + 8;
  if (!asked->is_free && strncmp(word, "answers:", 8) != 0)
    fail(BAD_INPUT, "'%s' is no question. One is free:<ip>[,not:<mac>|,only:<mac>] or answers:<ip>[,from:<ip>].", given);
  read_address(given, text, &asked->address);
  strcpy(asked->text, text);
  if (option != NULL) read_option(given, option, asked);
  for (int i = 0; i < count; i++)
    if (is_same(&questions[i].address, &asked->address)) fail(BAD_INPUT, "%s is asked for twice. Ask once for an address.", text);
  count++;
}

static int read_wait(const char *text) {
  long ms = 0;
  for (const char *at = text; *at != 0 && ms >= 0; at++) ms = *at >= '0' && *at <= '9' && ms <= WAIT_MOST_MS ? ms * 10 + *at - '0' : -1;
  if (ms < WAIT_LEAST_MS || ms > WAIT_MOST_MS)
    fail(BAD_INPUT, "waitMs is '%.40s'; it is a whole number of milliseconds from %d to %d. 1000 is enough for a rack.", text, WAIT_LEAST_MS,
         WAIT_MOST_MS);
  return (int)ms;
}

static void check_link_name(const char *name) {
  size_t size = strlen(name);
  if (size == 0 || size >= IFNAMSIZ || strpbrk(name, "/: \t\n\v\f\r") != NULL || !is_plain_text(name))
    fail(BAD_INPUT, "link is '%.40s'; a link's name has 1 to %d bytes without /, : and blanks. See: ip link", is_plain_text(name) ? name : "?",
         IFNAMSIZ - 1);
}

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/** The link that is asked on. */
struct wire {
  const char *name;
  int index;
  uint8_t mac[MAC_SIZE];
  /** Hears what comes in on the link, and what it sends for the MacVlans on it. */
  int ear;
  /** Sends, out of this process' own namespace; the same as `ear` where the link can't have MacVlans. */
  int mouth;
  int mouth_index;
};

static struct ifreq asked_of(const struct wire *wire, unsigned long what) {
  struct ifreq request = {0};
  strcpy(request.ifr_name, wire->name);
  if (ioctl(wire->ear, what, &request) == 0) return request;
  if (errno == ENODEV) fail(FAILED, "there is no link %s here. See: ip link", wire->name);
  fail(FAILED, "asking what %s is: %s.", wire->name, strerror(errno));
}

/** Ends where frames do not get onto the wire: silence would mean nothing. */
static void must_speak(const struct wire *wire, int wait_ms) {
  for (long long until = now_us() + wait_ms * 1000LL;;) {
    short flags = asked_of(wire, SIOCGIFFLAGS).ifr_flags;
    if ((flags & IFF_UP) == 0) fail(FAILED, "%s is down. To put it up: ip link set dev %s up", wire->name, wire->name);
    if ((flags & IFF_RUNNING) != 0) return;
    if (now_us() >= until) fail(FAILED, "%s has no carrier. Look at the cable, and at the switch's port.", wire->name);
    nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
  }
}

/** Only what may be an answer wakes this process: ARP, and ICMPv6 of the kinds 135 and 136, of this very VLAN. */
static void listen_for_answers(struct wire *wire) {
  enum { TYPE_AT = 12, NEXT_HEADER_AT = 20, ICMP_TYPE_AT = 54 };
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 9),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE_AT),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 6, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 6),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT_HEADER_AT),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ICMP_TYPE_AT),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
  struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = wire->index};
  int bytes = RECEIVE_BYTES;
  // Who may not have that much gets what the system gives.
  (void)!setsockopt(wire->ear, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  // Bound last: before, the socket hears nothing.
  if (setsockopt(wire->ear, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0 ||
      bind(wire->ear, (struct sockaddr *)&here, sizeof here) != 0)
    fail(FAILED, "listening on %s: %s.", wire->name, strerror(errno));
}

static void join(const struct wire *wire, const uint8_t group[MAC_SIZE]) {
  struct packet_mreq request = {.mr_ifindex = wire->index, .mr_type = PACKET_MR_MULTICAST, .mr_alen = MAC_SIZE};
  memcpy(request.mr_address, group, MAC_SIZE);
  if (setsockopt(wire->ear, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) != 0)
    fail(FAILED, "listening to an IPv6 group on %s: %s.", wire->name, strerror(errno));
}

/** The host may have no IPv6 on the link: then its card lets no answer in by itself. */
static void join_groups(const struct wire *wire) {
  // "multicast the advertisement to the all-nodes address" where nobody's address asked (RFC 4861, 7.2.4).
  static const uint8_t ALL_NODES[MAC_SIZE] = {0x33, 0x33, 0, 0, 0, 1};
  uint8_t group[MAC_SIZE];
  bool is_first = true;
  for (int i = 0; i < count; i++) {
    if (!questions[i].address.is_v6) continue;
    if (is_first) join(wire, ALL_NODES);
    is_first = false;
    // Who else is about to take it asks there.
    group_of(&questions[i].address, group);
    join(wire, group);
  }
}

struct message {
  struct nlmsghdr head;
  struct ifinfomsg link;
  char attributes[256];
};

static struct rtattr *put_attribute(struct message *message, unsigned short type, const void *value, size_t size) {
  struct rtattr *at = (struct rtattr *)((char *)message + NLMSG_ALIGN(message->head.nlmsg_len));
  at->rta_type = type;
  at->rta_len = (unsigned short)RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(at), value, size);
  message->head.nlmsg_len = (unsigned)(NLMSG_ALIGN(message->head.nlmsg_len) + RTA_ALIGN(at->rta_len));
  return at;
}

static void end_attribute(const struct message *message, struct rtattr *outer) {
  outer->rta_len = (unsigned short)((const char *)message + message->head.nlmsg_len - (const char *)outer);
}

/**
 * A MacVlan on the link, in this process' namespace.
 * @param route a socket of the namespace in which the link is
 * @returns 0, or the error of the kernel
 */
static int make_macvlan(int route, int link_index, const char *name) {
  static const char KIND[] = "macvlan";
  uint32_t mode = MACVLAN_MODE_BRIDGE, pid = (uint32_t)getpid(), on = (uint32_t)link_index, mtu = PROBE_MTU;
  struct message message = {
      .head = {.nlmsg_len = NLMSG_LENGTH(sizeof message.link),
               .nlmsg_type = RTM_NEWLINK,
               .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK},
      .link = {.ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP},
  };
  put_attribute(&message, IFLA_IFNAME, name, strlen(name) + 1);
  put_attribute(&message, IFLA_LINK, &on, sizeof on);
  put_attribute(&message, IFLA_MTU, &mtu, sizeof mtu);
  put_attribute(&message, IFLA_NET_NS_PID, &pid, sizeof pid);
  struct rtattr *info = put_attribute(&message, IFLA_LINKINFO, NULL, 0);
  put_attribute(&message, IFLA_INFO_KIND, KIND, strlen(KIND));
  struct rtattr *data = put_attribute(&message, IFLA_INFO_DATA, NULL, 0);
  put_attribute(&message, IFLA_MACVLAN_MODE, &mode, sizeof mode);
  end_attribute(&message, data);
  end_attribute(&message, info);

  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
    char rest[1024];
  } answer;
  if (send(route, &message, message.head.nlmsg_len, 0) < 0) return errno;
  ssize_t got = recv(route, &answer, sizeof answer, 0);
  if (got < 0) return errno;
  if ((size_t)got < NLMSG_LENGTH(sizeof answer.error) || answer.head.nlmsg_type != NLMSG_ERROR) return EPROTO;
  return -answer.error.error;
}

/**
 * Errors with which the kernel says that the link can have no MacVlan in bridge mode, and so no pod on one: it is the port of a
 * bridge (EBUSY) or wholly another's (EINVAL), or this kernel knows no MacVlan (EOPNOTSUPP).
 */
static bool has_no_macvlans(int error) {
  return error == EBUSY || error == EINVAL || error == EOPNOTSUPP;
}

static void open_mouth(struct wire *wire) {
  static const char NAME[] = "probe";
  int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (route < 0) fail(FAILED, "a netlink socket: %s.", strerror(errno));
  if (unshare(CLONE_NEWNET) != 0)
    fail(FAILED, "a network namespace of its own, to reach the pods of this host: %s. It needs CAP_SYS_ADMIN and CAP_NET_ADMIN.", strerror(errno));
  int error = make_macvlan(route, wire->index, NAME);
  close(route);
  wire->mouth = wire->ear;
  wire->mouth_index = wire->index;
  if (has_no_macvlans(error)) return;
  if (error != 0) fail(FAILED, "a MacVlan on %s, to reach the pods of this host: %s. It needs CAP_NET_ADMIN.", wire->name, strerror(error));
  wire->mouth = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  wire->mouth_index = (int)if_nametoindex(NAME);
  if (wire->mouth < 0 || wire->mouth_index == 0) fail(FAILED, "a socket on a MacVlan on %s: %s.", wire->name, strerror(errno));
}

static struct wire open_wire(const char *name) {
  struct wire wire = {.name = name, .ear = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (wire.ear < 0) fail(FAILED, "a packet socket: %s. It needs CAP_NET_RAW.", strerror(errno));
  wire.index = asked_of(&wire, SIOCGIFINDEX).ifr_ifindex;
  struct ifreq hardware = asked_of(&wire, SIOCGIFHWADDR);
  if (hardware.ifr_hwaddr.sa_family != ARPHRD_ETHER)
    fail(FAILED, "%s is no Ethernet link, but of type %d. Name the VLAN's sub-interface, such as bond0.110.", name, hardware.ifr_hwaddr.sa_family);
  memcpy(wire.mac, hardware.ifr_hwaddr.sa_data, MAC_SIZE);
  must_speak(&wire, CARRIER_WAIT_MS);
  listen_for_answers(&wire);
  join_groups(&wire);
  open_mouth(&wire);
  return wire;
}

/** @returns whether it is sent; a queue that is full takes it a little later */
static bool send_question(const struct wire *wire, const struct question_asked *asked) {
  uint8_t frame[QUESTION_SIZE_MAX];
  size_t size = question(frame, wire->mac, &asked->address, asked->has_from ? &asked->from : NULL);
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = wire->mouth_index, .sll_halen = MAC_SIZE};
  memcpy(to.sll_addr, frame, MAC_SIZE);
  if (sendto(wire->mouth, frame, size, 0, (struct sockaddr *)&to, sizeof to) >= 0) return true;
  if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) fail(FAILED, "asking on %s: %s.", wire->name, strerror(errno));
  return false;
}

static void note(const struct wire *wire, const struct heard *heard) {
  // What comes back of one's own, by a loop or a mirror, says nothing.
  if (heard->kind == NOTHING || memcmp(heard->mac, wire->mac, MAC_SIZE) == 0) return;
  for (int i = 0; i < count; i++) {
    struct question_asked *asked = &questions[i];
    if (!is_same(&asked->address, &heard->address)) continue;
    if (asked->heard == HAS || (heard->kind == PROBES && !asked->is_free)) return;
    bool is_who = memcmp(asked->who, heard->mac, MAC_SIZE) == 0;
    if ((asked->has_not && is_who) || (asked->has_only && !is_who)) return;
    asked->heard = heard->kind;
    memcpy(asked->mac, heard->mac, MAC_SIZE);
    return;
  }
}

static void hear(const struct wire *wire) {
  uint8_t frame[FRAME_MAX];
  for (int i = 0; i < BATCH; i++) {
    ssize_t got = recv(wire->ear, frame, sizeof frame, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) fail(FAILED, "listening on %s: %s. What was not heard till then is not known.", wire->name, strerror(errno));
    struct heard heard = heard_of(frame, (size_t)got);
    note(wire, &heard);
  }
}

static bool is_all_answered(void) {
  for (int i = 0; i < count; i++)
    if (questions[i].heard != HAS) return false;
  return true;
}

/** When the frame is sent, after the first: each round has a quarter of the time, and the last one another to be answered in. */
static long long due_us(int frame, int wait_ms) {
  long long round = wait_ms * 250LL, gap = round / count;
  // No burst, for switches that limit it and for who answers; but the answers of a few questions need not wait.
  return frame / count * round + frame % count * (gap < GAP_US ? gap : GAP_US);
}

static void ask_all(const struct wire *wire, int wait_ms) {
  long long start = now_us(), end = start + wait_ms * 1000LL;
  int sent = 0;
  for (;;) {
    bool is_full = false;
    for (; sent < count * TIMES && now_us() >= start + due_us(sent, wait_ms); sent++) {
      const struct question_asked *asked = &questions[sent % count];
      if (asked->heard != HAS && (is_full = !send_question(wire, asked))) break;
    }
    hear(wire);
    long long now = now_us();
    if (is_all_answered()) return;
    if (now >= end) break;
    long long next = sent == count * TIMES ? end : is_full ? now + NAP_MS * 1000LL : start + due_us(sent, wait_ms);
    struct pollfd ear = {.fd = wire->ear, .events = POLLIN};
    if (next > now) poll(&ear, 1, (int)((next < end ? next : end) - now + 999) / 1000);
  }
  // Whoever could not hear must not say that it was silent.
  if (sent < count * TIMES) fail(FAILED, "%s took only %d of %d frames within %d ms. Ask again, or give it longer.", wire->name, sent, count * TIMES, wait_ms);
  struct tpacket_stats heard = {0};
  socklen_t size = sizeof heard;
  if (getsockopt(wire->ear, SOL_PACKET, PACKET_STATISTICS, &heard, &size) == 0 && heard.tp_drops > 0)
    fail(FAILED, "%s had more ARP and neighbour discovery than could be read: %u of %u frames are lost. Look who floods the VLAN, and ask again.",
         wire->name, heard.tp_drops, heard.tp_packets);
  must_speak(wire, 0);
}

static char answer_bytes[QUESTIONS_MAX * 128];

static void put_all(struct out *out, const char *name, enum heard_kind kind) {
  char mac[32];
  bool is_first = true;
  put_string(out, name);
  put_text(out, ":[");
  for (int i = 0; i < count; i++) {
    const struct question_asked *asked = &questions[i];
    if (asked->heard != kind) continue;
    put_text(out, is_first ? "" : ",");
    is_first = false;
    if (kind == NOTHING) {
      put_string(out, asked->text);
      continue;
    }
    const uint8_t *it = asked->mac;
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", it[0], it[1], it[2], it[3], it[4], it[5]);
    put_text(out, "{\"ip\":");
    put_string(out, asked->text);
    put_text(out, ",\"mac\":");
    put_string(out, mac);
    put_text(out, "}");
  }
  put_text(out, "]");
}

static void tell(void) {
  struct out out = {.at = answer_bytes, .size = sizeof answer_bytes};
  put_text(&out, "{");
  put_all(&out, "answered", HAS);
  put_text(&out, ",");
  put_all(&out, "probing", PROBES);
  put_text(&out, ",");
  put_all(&out, "silent", NOTHING);
  put_text(&out, "}\n");
  if (fwrite(out.at, 1, out.used, stdout) != out.used || fflush(stdout) != 0) fail(FAILED, "writing what was heard: %s.", strerror(errno));
}

int main(int argc, char **argv) {
  if (argc < 4)
    fail(BAD_INPUT, "usage: gala-probe <link> <waitMs> <question>…, a question being free:<ip>[,not:<mac>|,only:<mac>] or answers:<ip>[,from:<ip>].");
  if (argc - 3 > QUESTIONS_MAX) fail(BAD_INPUT, "%d questions; at most %d are asked at once. Ask in turns.", argc - 3, QUESTIONS_MAX);
  check_link_name(argv[1]);
  int wait_ms = read_wait(argv[2]);
  for (int i = 3; i < argc; i++) read_question(argv[i]);
  struct wire wire = open_wire(argv[1]);
  ask_all(&wire, wait_ms);
  tell();
  return 0;
}
