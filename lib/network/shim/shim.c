/**
 * The CNI shim: what containerd starts for each verb. It hands the call to the agent of its node, `gala cni`, and says what the
 * agent answers; what is done about it is decided there. Only when the agent is away something is decided here: ADD and CHECK are
 * asked to come again, STATUS says no once that has lasted where no pod is wired, and DEL leaves a tombstone and succeeds, since a pod must be able to go at
 * any time.
 *
 *   in    the environment and, on stdin, the network configuration: "Execution Protocol" of the CNI specification 1.1.0
 *   to    the agent, one POST over a unix socket that is root's alone: {"protocol":1,"env":{"CNI_COMMAND":…},"config":<stdin>}
 *   out   the body of the answer; exit status 0 for HTTP 2xx, else 1, and the body is a CNI error
 *
 * Built statically, so that it runs on any host whatever C library that has. Memory is fixed; pages are taken as they are used.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

#define SOCKET "/run/gala/cni.sock"
#define NEWEST "1.1.0"
#define SUPPORTED "0.4.0, 1.0.0, 1.1.0"

enum {
  CONFIG_MAX = 1 << 20,
  ANSWER_MAX = 1 << 20,
  HEAD_MAX = 16 << 10,
  /** Of one variable; the kernel's own limit is 128 KiB (MAX_ARG_STRLEN). */
  VARIABLE_MAX = 16 << 10,
  /** A file name has 255 bytes, and that of a tombstone holds an interface name too. containerd's ids have 64. */
  CONTAINER_ID_MAX = 200,
  /** IFNAMSIZ with the 0 at its end. */
  IFNAME_MAX = 15,
  PATH_LONGEST = 1024,
  /** An agent that is being replaced is back within this: no pod start fails for it. */
  AGENT_BACK_MS = 10000,
  /**
   * STATUS says no only of an agent that has been away longer: one that is being replaced, its image pulled, is back. A node that is
   * not ready for a moment costs more than a pod start that waits: all its pods count as not ready then, and leave their Services
   * (kubernetes, pkg/controller/nodelifecycle, MarkPodsNotReady).
   */
  AWAY_MS = 60000,
  NAP_MS = 20,
};

/** "Error" of the specification. */
enum code {
  INCOMPATIBLE_VERSION = 1,
  INVALID_ENVIRONMENT = 4,
  IO_FAILURE = 5,
  DECODING_FAILURE = 6,
  INVALID_CONFIG = 7,
  TRY_AGAIN_LATER = 11,
  NOT_AVAILABLE = 50,
};

static const char *message_of(enum code code) {
  switch (code) {
    case INCOMPATIBLE_VERSION:
      return "Incompatible CNI version";
    case INVALID_ENVIRONMENT:
      return "Invalid necessary environment variables";
    case IO_FAILURE:
      return "I/O failure";
    case DECODING_FAILURE:
      return "Failed to decode content";
    case INVALID_CONFIG:
      return "Invalid network config";
    case TRY_AGAIN_LATER:
      return "Try again later";
    case NOT_AVAILABLE:
      return "The plugin is not available";
  }
  return "";
}

/** One of the verbs that the agent answers. */
struct verb {
  const char *name;
  /**
   * From the start to the last byte of the answer. Whoever asks waits longer: the kubelet gives RunPodSandbox two times its
   * runtimeRequestTimeout, which is 4 min (k8s.io/cri-client, remote_runtime.go: "Use 2 times longer timeout for sandbox operation"),
   * and StopPodSandbox 2 min; containerd adds no limit of its own to ADD (containerd issue 9627), and gives the DEL after a failed
   * ADD 1 min (internal/cri/util, deferCleanupTimeout). It answers the kubelet's Status only after STATUS.
   */
  int deadline_ms;
  bool needs_container;
  bool needs_netns;
  /** Verbs that came with 1.1.0 are refused where the configuration is older, as libcni's skel does. */
  bool is_new;
  /** Prints a result; the others print nothing when they are done. */
  bool has_result;
  /** Waits for an agent that is being replaced. */
  bool waits;
  /** What it ends with when the agent is away. */
  enum code away;
};

static const struct verb VERBS[] = {
    {.name = "ADD", .deadline_ms = 90000, .needs_container = true, .needs_netns = true, .has_result = true, .waits = true, .away = TRY_AGAIN_LATER},
    // "When CNI_NETNS and/or prevResult are not provided, the plugin should clean up as many resources as possible".
    {.name = "DEL", .deadline_ms = 30000, .needs_container = true, .away = TRY_AGAIN_LATER},
    {.name = "CHECK", .deadline_ms = 30000, .needs_container = true, .needs_netns = true, .away = TRY_AGAIN_LATER},
    // "50: The plugin is not available (i.e. cannot service ADD requests)".
    {.name = "STATUS", .deadline_ms = 5000, .is_new = true, .away = NOT_AVAILABLE},
    // "removing as many resources as possible, and report the errors back to the runtime": nothing was removed, so that is said.
    {.name = "GC", .deadline_ms = 60000, .is_new = true, .away = TRY_AGAIN_LATER},
};
static const int VERSION_DEADLINE_MS = 5000;

static const char *const VARIABLES[] = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"};
/** libcni's own, for tests that wire the namespace they run in (pkg/skel). Passed on where it is set. */
static const char *const OVERRIDE = "CNI_NETNS_OVERRIDE";
enum { VARIABLES_COUNT = sizeof VARIABLES / sizeof VARIABLES[0] };

/** The configuration, as read. */
static char config[CONFIG_MAX + 1];
static size_t config_size;
/** What is made of it before the configuration: each byte of a variable is at most two. */
static char document_bytes[(VARIABLES_COUNT + 1) * (2 * VARIABLE_MAX + 64) + 64];
static struct out document = {.at = document_bytes, .size = sizeof document_bytes};
static char answer[HEAD_MAX + ANSWER_MAX];

/** "cniVersion: The same value as provided by the configuration". */
static char version[32] = NEWEST;
static long long ends_at_ms;

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int left_ms(void) {
  long long left = ends_at_ms - now_ms();
  return left > 0 ? (int)left : 0;
}

static void print(const char *at, size_t size) {
  while (size > 0) {
    ssize_t written = write(STDOUT_FILENO, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) _exit(1);
    at += written;
    size -= (size_t)written;
  }
}

/** Ends with a CNI error. Whoever sees it in `kubectl describe pod` sees message and details in one line. */
__attribute__((noreturn, format(printf, 2, 3))) static void fail(enum code code, const char *format, ...) {
  char details[2048], bytes[8192], number[16];
  va_list values;
  va_start(values, format);
  vsnprintf(details, sizeof details, format, values);
  va_end(values);
  struct out out = {.at = bytes, .size = sizeof bytes};
  put_text(&out, "{\"cniVersion\":");
  put_string(&out, version);
  snprintf(number, sizeof number, "%d", code);
  put_text(&out, ",\"code\":");
  put_text(&out, number);
  put_text(&out, ",\"msg\":");
  put_string(&out, message_of(code));
  put_text(&out, ",\"details\":");
  put_string(&out, details);
  put_text(&out, "}\n");
  print(out.at, out.used);
  exit(1);
}

/** @returns what has come of `events`, an end or an error included; 0 when the deadline came first */
static short wait_for(int fd, short events) {
  struct pollfd one = {.fd = fd, .events = events};
  for (;;) {
    int ready = poll(&one, 1, left_ms());
    if (ready > 0) return one.revents;
    if (ready == 0 && left_ms() == 0) return 0;
    if (ready < 0 && errno != EINTR) return 0;
  }
}

static void nap(void) {
  int ms = left_ms() < NAP_MS ? left_ms() : NAP_MS;
  nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/** @returns NULL, or why it could not be read */
static const char *read_config(void) {
  for (;;) {
    if (!wait_for(STDIN_FILENO, POLLIN)) return "it did not end in time";
    ssize_t got = read(STDIN_FILENO, config + config_size, sizeof config - config_size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return strerror(errno);
    if (got == 0) return NULL;
    config_size += (size_t)got;
    if (config_size > CONFIG_MAX) return "it has more than 1 MiB";
  }
}

enum { CNI_VERSION, NAME, SOCKET_PATH, DEADLINE_MS, MEMBERS_COUNT };
static struct member members[MEMBERS_COUNT] = {
    [CNI_VERSION] = {.name = "cniVersion"},
    [NAME] = {.name = "name"},
    [SOCKET_PATH] = {.name = "socket"},
    [DEADLINE_MS] = {.name = "deadlineMs"},
};

static const char *text_of(const char *variable) {
  const char *text = getenv(variable);
  return text == NULL ? "" : text;
}

static bool is_alphanumeric(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

/** "Must start with an alphanumeric character, optionally followed by any combination of … underscore (_), dot (.) or hyphen (-)". */
static bool is_name(const char *at, size_t size) {
  if (size == 0 || !is_alphanumeric(at[0])) return false;
  for (size_t i = 1; i < size; i++)
    if (!is_alphanumeric(at[i]) && at[i] != '_' && at[i] != '.' && at[i] != '-') return false;
  return true;
}

/** As dev_valid_name of the kernel and ValidateInterfaceName of libcni have it. */
static bool is_interface_name(const char *name) {
  size_t size = strlen(name);
  if (size == 0 || size > IFNAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return false;
  return strpbrk(name, "/: \t\n\v\f\r") == NULL;
}

static void check_variable(const char *variable) {
  const char *text = text_of(variable);
  if (strlen(text) > VARIABLE_MAX)
    fail(INVALID_ENVIRONMENT, "%s has %zu bytes; at most %d are passed on. Give it less.", variable, strlen(text), VARIABLE_MAX);
  if (!is_plain_text(text))
    fail(INVALID_ENVIRONMENT, "%s is '%.100s', with control characters or bytes that are no UTF-8. Give it plain text.", variable, text);
}

static const struct verb *verb_named(const char *name) {
  for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
    if (strcmp(VERBS[i].name, name) == 0) return &VERBS[i];
  return NULL;
}

static void check_environment(const struct verb *verb) {
  for (int i = 0; i < VARIABLES_COUNT; i++) check_variable(VARIABLES[i]);
  check_variable(OVERRIDE);
  const char *id = text_of("CNI_CONTAINERID"), *name = text_of("CNI_IFNAME");
  if (verb->needs_container && (!is_name(id, strlen(id)) || strlen(id) > CONTAINER_ID_MAX))
    fail(INVALID_ENVIRONMENT,
         "CNI_CONTAINERID is '%.100s'; %s needs a letter or digit, then letters, digits, _, . and -, at most %d. Give the runtime's id.", id,
         verb->name, CONTAINER_ID_MAX);
  if (verb->needs_container && !is_interface_name(name))
    fail(INVALID_ENVIRONMENT, "CNI_IFNAME is '%.100s'; %s needs 1 to %d bytes without /, : and blanks, and not . or .. Give it eth0.", name,
         verb->name, IFNAME_MAX);
  if (verb->needs_netns && text_of("CNI_NETNS")[0] == 0)
    fail(INVALID_ENVIRONMENT, "CNI_NETNS is missing; %s needs the path of the pod's network namespace.", verb->name);
}

/** Keeps the version for the answers, where it is one that a runtime could mean. */
static void note_version(void) {
  struct slice text = json_plain(members[CNI_VERSION].value);
  if (text.size == 0 || text.size >= sizeof version) return;
  memcpy(version, text.at, text.size);
  version[text.size] = 0;
}

static void check_version(const struct verb *verb) {
  struct slice text = json_plain(members[CNI_VERSION].value);
  const char *const versions[] = {"0.4.0", "1.0.0", NEWEST};
  for (int i = 0; i < 3; i++) {
    if (text.size != strlen(versions[i]) || memcmp(text.at, versions[i], text.size) != 0) continue;
    if (verb->is_new && strcmp(versions[i], NEWEST) != 0)
      fail(INCOMPATIBLE_VERSION, "cniVersion is %s; %s came with 1.1.0. Give cniVersion 1.1.0 in the conflist.", versions[i], verb->name);
    return;
  }
  fail(INCOMPATIBLE_VERSION, "cniVersion is '%.*s'; supported are %s. Give one of them in the conflist.",
       (int)(text.size < 100 ? text.size : 100), text.size == 0 ? "" : text.at, SUPPORTED);
}

static void check_config(void) {
  struct slice name = json_plain(members[NAME].value);
  if (!is_name(name.at, name.size))
    fail(INVALID_CONFIG, "name is %.*s; a network's name is a letter or digit, then letters, digits, _, . and -. Give it in the conflist.",
         (int)(members[NAME].value.size < 100 ? members[NAME].value.size : 100),
         members[NAME].value.size == 0 ? "missing" : members[NAME].value.at);
}

/** `deadlineMs` of the configuration can only shorten what the verb has. */
static int deadline_of(const struct verb *verb) {
  struct slice text = members[DEADLINE_MS].value;
  if (text.size == 0) return verb->deadline_ms;
  long ms = 0;
  for (size_t i = 0; i < text.size && ms >= 0; i++) ms = isdigit((unsigned char)text.at[i]) && i < 9 ? ms * 10 + text.at[i] - '0' : -1;
  if (ms < 1)
    fail(INVALID_CONFIG, "deadlineMs is %.*s; it is a whole number of milliseconds from 1 on. Leave it out: %s then has %d.",
         (int)(text.size < 100 ? text.size : 100), text.at, verb->name, verb->deadline_ms);
  return ms < verb->deadline_ms ? (int)ms : verb->deadline_ms;
}

/** An absolute path, as folder and name in it. */
struct path {
  char folder[PATH_LONGEST];
  const char *name;
  char whole[PATH_LONGEST];
};

static void socket_path(struct path *path) {
  struct slice given = members[SOCKET_PATH].value, text = json_plain(given);
  if (given.size == 0) text = (struct slice){SOCKET, strlen(SOCKET)};
  if (text.size == 0 || text.size >= sizeof path->whole || text.at[0] != '/' || text.at[text.size - 1] == '/')
    fail(INVALID_CONFIG, "socket is %.*s; it is an absolute path without escapes, shorter than %d bytes. Leave it out: it is " SOCKET ".",
         (int)(given.size < 200 ? given.size : 200), given.at, PATH_LONGEST);
  memcpy(path->whole, text.at, text.size);
  path->whole[text.size] = 0;
  strcpy(path->folder, path->whole);
  char *slash = strrchr(path->folder, '/');
  *slash = 0;
  path->name = path->whole + (slash - path->folder) + 1;
}

/**
 * Opens a folder part by part, so that no symbolic link leads elsewhere.
 * @param make parts that are missing
 * @returns -1 and errno
 */
static int open_folder(const char *path, bool make) {
  char part[256];
  int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (folder >= 0) {
    path += strspn(path, "/");
    size_t size = strcspn(path, "/");
    if (size == 0) break;
    if (size >= sizeof part) {
      close(folder);
      errno = ENAMETOOLONG;
      return -1;
    }
    memcpy(part, path, size);
    part[size] = 0;
    path += size;
    if (make && mkdirat(folder, part, 0700) != 0 && errno != EEXIST) {
      int why = errno;
      close(folder);
      errno = why;
      return -1;
    }
    int next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int why = errno;
    close(folder);
    errno = why;
    folder = next;
  }
  return folder;
}

/** Why the agent could not be asked, or was not understood. */
struct failure {
  /** TRY_AGAIN_LATER: nobody is there, for now. INVALID_CONFIG and IO_FAILURE: a person must look. */
  enum code code;
  /** Of the system; 0: it is not the system's. */
  int error;
  char why[512];
};

__attribute__((format(printf, 3, 4))) static bool failed(struct failure *failure, enum code code, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(failure->why, sizeof failure->why, format, values);
  va_end(values);
  failure->code = code;
  failure->error = 0;
  return false;
}

static bool failed_by(struct failure *failure, int error) {
  // A part of the path is a symbolic link or no folder, or this is not root: that does not pass by itself.
  bool stays = error == ELOOP || error == ENOTDIR || error == EACCES;
  failed(failure, stays ? INVALID_CONFIG : TRY_AGAIN_LATER, "%s", error == ENOTDIR ? "a part of its path is no folder" : strerror(error));
  failure->error = error;
  return false;
}

/** A name for the socket that leads to the very inode that was looked at, whatever is put in its place meanwhile. */
static void name_of(int fd, struct sockaddr_un *name) {
  memset(name, 0, sizeof *name);
  name->sun_family = AF_UNIX;
  snprintf(name->sun_path, sizeof name->sun_path, "/proc/self/fd/%d", fd);
}

/** Whether what stands at the path is the agent's: a socket that is this user's alone. */
static bool is_trusted(int inode, struct failure *failure) {
  struct stat it;
  if (fstat(inode, &it) != 0) return failed_by(failure, errno);
  if (S_ISLNK(it.st_mode)) return failed(failure, INVALID_CONFIG, "it is a symbolic link");
  if (!S_ISSOCK(it.st_mode)) return failed(failure, INVALID_CONFIG, "it is no socket");
  if (it.st_uid != geteuid()) return failed(failure, INVALID_CONFIG, "it belongs to user %u, not to %u", it.st_uid, geteuid());
  if ((it.st_mode & 077) != 0)
    return failed(failure, INVALID_CONFIG, "its mode is %04o, which lets others than its owner in; it must be 0600", it.st_mode & 07777);
  return true;
}

/** @returns the connection, or -1 with `failure` */
static int connect_to(int inode, struct failure *failure) {
  struct sockaddr_un name;
  name_of(inode, &name);
  int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (connection >= 0 && connect(connection, (struct sockaddr *)&name, sizeof name) == 0) return connection;
  failed_by(failure, errno);
  if (connection >= 0) close(connection);
  return -1;
}

/** One try. @returns the connection, or -1 with `failure` */
static int try_to_connect(const struct path *path, struct failure *failure) {
  int folder = open_folder(path->folder, false);
  int inode = folder < 0 ? -1 : openat(folder, path->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (inode < 0) failed_by(failure, errno);
  if (folder >= 0) close(folder);
  if (inode < 0) return -1;
  int connection = is_trusted(inode, failure) ? connect_to(inode, failure) : -1;
  close(inode);
  return connection;
}

/**
 * ADD waits a while for an agent that is being replaced; every verb waits for one whose queue is full.
 * @returns the connection, or -1 with `failure`
 */
static int connect_to_agent(const struct path *path, bool waits, struct failure *failure) {
  long long until = now_ms() + AGENT_BACK_MS;
  for (;;) {
    int connection = try_to_connect(path, failure);
    if (connection >= 0 || failure->code != TRY_AGAIN_LATER || left_ms() == 0) return connection;
    // EAGAIN: its queue of connections is full (unix(7)).
    if (failure->error != EAGAIN && !(waits && now_ms() < until)) return -1;
    nap();
  }
}

static void advance(struct iovec **parts, int *count, size_t sent) {
  while (*count > 0 && sent >= (*parts)->iov_len) {
    sent -= (*parts)->iov_len;
    (*parts)++;
    (*count)--;
  }
  if (*count == 0) return;
  (*parts)->iov_base = (char *)(*parts)->iov_base + sent;
  (*parts)->iov_len -= sent;
}

static bool is_interrupted(void) {
  return errno == EINTR || errno == EAGAIN;
}

/** Sends what it can. An agent that does not want to read it all says why meanwhile: then the rest is of no use. */
static bool send_all(int connection, struct iovec *parts, int count, struct failure *failure) {
  while (count > 0) {
    short come = wait_for(connection, POLLIN | POLLOUT);
    if (come == 0) return failed(failure, TRY_AGAIN_LATER, "it did not take the call in time");
    if ((come & POLLIN) != 0) return true;
    ssize_t sent = sendmsg(connection, &(struct msghdr){.msg_iov = parts, .msg_iovlen = (size_t)count}, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return true;
    if (sent < 0 && !is_interrupted()) return failed_by(failure, errno);
    if (sent > 0) advance(&parts, &count, (size_t)sent);
  }
  return true;
}

/** What is in `answer`, once its head is there. */
struct head {
  int status;
  size_t size;
  size_t body_size;
};

/** @returns 0 where the text does not start as an answer does */
static int status_in(const char *text) {
  static const char START[] = "HTTP/1.1 ";
  if (strncmp(text, START, sizeof START - 1) != 0) return 0;
  int status = 0;
  for (int i = 0; i < 3; i++) {
    char digit = text[sizeof START - 1 + (size_t)i];
    if (!isdigit((unsigned char)digit)) return 0;
    status = status * 10 + digit - '0';
  }
  return status >= 200 && status <= 599 ? status : 0;
}

static bool is_field(const char *line, const char *name) {
  size_t size = strlen(name);
  return strncasecmp(line, name, size) == 0 && line[size] == ':';
}

/** @returns -1 where it is no number, or a larger one than an answer may have */
static long size_in(const char *text) {
  text += strspn(text, " \t");
  long size = 0;
  if (!isdigit((unsigned char)*text)) return -1;
  for (; isdigit((unsigned char)*text); text++)
    if ((size = size * 10 + *text - '0') > ANSWER_MAX) return -1;
  text += strspn(text, " \t");
  return *text == '\r' ? size : -1;
}

/**
 * The head of an HTTP/1.1 answer whose length is said (RFC 9112). Nothing else is asked of the agent: no 1xx, no chunks, no answer
 * that ends where the connection does, since that can't be told from an agent that died.
 */
static bool read_head(size_t size, struct head *head, struct failure *failure) {
  char *end = memmem(answer, size, "\r\n\r\n", 4);
  if ((end == NULL ? size : (size_t)(end - answer)) > HEAD_MAX - 4)
    return failed(failure, IO_FAILURE, "its answer has a head of more than %d bytes", HEAD_MAX);
  if (end == NULL) return true;
  head->size = (size_t)(end - answer) + 4;
  end[3] = 0;
  head->status = status_in(answer);
  if (head->status == 0) return failed(failure, IO_FAILURE, "its answer is no HTTP/1.1");
  long body_size = -1;
  for (char *line = strstr(answer, "\r\n"); line != NULL && line[2] != 0; line = strstr(line + 2, "\r\n")) {
    if (is_field(line + 2, "transfer-encoding")) return failed(failure, IO_FAILURE, "its answer comes in chunks");
    if (is_field(line + 2, "content-length") && (body_size = size_in(line + 2 + strlen("content-length:"))) < 0)
      return failed(failure, IO_FAILURE, "its answer has a length that is no number, or of more than %d bytes", ANSWER_MAX);
  }
  if (body_size < 0 && head->status != 204) return failed(failure, IO_FAILURE, "its answer has no length");
  head->body_size = head->status == 204 ? 0 : (size_t)body_size;
  return true;
}

static bool read_answer(int connection, struct head *head, struct failure *failure) {
  size_t got = 0;
  *head = (struct head){0};
  for (;;) {
    if (head->size > 0 && got >= head->size + head->body_size) return true;
    if (!wait_for(connection, POLLIN)) return failed(failure, TRY_AGAIN_LATER, "it did not answer in time");
    ssize_t more = recv(connection, answer + got, sizeof answer - got, 0);
    if (more < 0 && is_interrupted()) continue;
    if (more < 0) return failed_by(failure, errno);
    if (more == 0) {
      failed(failure, TRY_AGAIN_LATER, "it hung up before its answer ended");
      failure->error = ECONNRESET;
      return false;
    }
    got += (size_t)more;
    if (head->size == 0 && !read_head(got, head, failure)) return false;
  }
}

/** Whether the body is one that a runtime can read. */
static bool is_body_right(const struct verb *verb, const struct head *head, struct failure *failure) {
  size_t where;
  bool is_well = head->status < 300;
  if (head->body_size == 0 && is_well && !verb->has_result) return true;
  const char *wrong = json_object(answer + head->size, head->body_size, NULL, 0, &where);
  return wrong == NULL || failed(failure, IO_FAILURE, "its answer, HTTP %d, has no JSON object: %s at byte %zu", head->status, wrong, where);
}

static bool ask_once(const struct verb *verb, const struct path *path, struct head *head, struct failure *failure) {
  int connection = connect_to_agent(path, verb->waits, failure);
  if (connection < 0) return false;
  char start[256];
  int size = snprintf(start, sizeof start,
                      "POST /cni HTTP/1.1\r\nHost: gala\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                      document.used + config_size + 1);
  struct iovec parts[] = {{start, (size_t)size}, {document.at, document.used}, {config, config_size}, {"}", 1}};
  bool is_done = send_all(connection, parts, 4, failure) && read_answer(connection, head, failure) && is_body_right(verb, head, failure);
  close(connection);
  return is_done;
}

/**
 * An agent that is replaced hangs up on the calls that it has not read, and one that is killed on all. What waits for an agent asks the
 * next one then: it goes on from the journal, and says of what is wired already what it said before.
 */
static bool ask(const struct verb *verb, const struct path *path, struct head *head, struct failure *failure) {
  struct failure hung_up = {0};
  for (long long until = 0;;) {
    if (ask_once(verb, path, head, failure)) return true;
    if (!verb->waits || failure->error != ECONNRESET) break;
    hung_up = *failure;
    if (until == 0) until = now_ms() + AGENT_BACK_MS;
    nap();
    if (left_ms() == 0 || now_ms() >= until) break;
  }
  // That the time is over says less than what it was lost by.
  if (hung_up.error != 0 && left_ms() == 0) *failure = hung_up;
  return false;
}

/** All that the agent gets but the configuration and the last brace. */
static void write_document(void) {
  put_text(&document, "{\"protocol\":1,\"env\":{");
  for (int i = 0; i < VARIABLES_COUNT; i++) {
    put_string(&document, VARIABLES[i]);
    put_text(&document, ":");
    put_string(&document, text_of(VARIABLES[i]));
    if (i + 1 < VARIABLES_COUNT) put_text(&document, ",");
  }
  if (getenv(OVERRIDE) != NULL) {
    put_text(&document, ",");
    put_string(&document, OVERRIDE);
    put_text(&document, ":");
    put_string(&document, text_of(OVERRIDE));
  }
  put_text(&document, "},\"config\":");
}

static bool write_all(int fd, const char *at, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= (size_t)written;
  }
  return true;
}

/**
 * Leaves the call in <folder>/<container id>-<interface>.json for the agent to come. It is there as a whole or not at all: a file
 * without a name is filled first, and what is killed meanwhile leaves nothing. One that is there already says the same.
 */
static bool put_tombstone(int folder) {
  char name[CONTAINER_ID_MAX + IFNAME_MAX + 16], self[64];
  snprintf(name, sizeof name, "%s-%s.json", text_of("CNI_CONTAINERID"), text_of("CNI_IFNAME"));
  int file = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return false;
  snprintf(self, sizeof self, "/proc/self/fd/%d", file);
  bool is_done = fchmod(file, 0600) == 0 && write_all(file, document.at, document.used) && write_all(file, config, config_size) &&
                 write_all(file, "}", 1) && fsync(file) == 0 &&
                 (linkat(AT_FDCWD, self, folder, name, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST) && fsync(folder) == 0;
  int why = errno;
  close(file);
  errno = why;
  return is_done;
}

static void leave_tombstone(const struct path *path, const struct failure *failure) {
  char where[PATH_LONGEST + 16];
  snprintf(where, sizeof where, "%s/tombstones", path->folder);
  int folder = open_folder(where, true);
  struct stat it;
  const char *why = NULL;
  if (folder < 0 || fstat(folder, &it) != 0) why = strerror(errno);
  else if (it.st_uid != geteuid() || (it.st_mode & 022) != 0) why = "others than this user may write there";
  else if (!put_tombstone(folder)) why = strerror(errno);
  if (folder >= 0) close(folder);
  if (why != NULL)
    fail(TRY_AGAIN_LATER, "gala cni on %s: %s; and no note could be left for it in %s: %s. Look at that folder, and at the agent's pod on this node.",
         path->whole, failure->why, where, why);
}

/** In the folder of the socket: since when nobody has answered STATUS, in milliseconds of the clock that begins with the boot, as tmpfs does. */
#define AWAY "away"

static void note_answered(const struct path *path) {
  int folder = open_folder(path->folder, false);
  if (folder < 0) return;
  unlinkat(folder, AWAY, 0);
  close(folder);
}

/** @returns whether there was an agent, and it has been away for a moment only; this moment is noted where none is */
static bool is_away_for_now(const struct path *path, const struct failure *failure) {
  // Without a socket there was no agent since the boot.
  if (failure->code != TRY_AGAIN_LATER || failure->error == ENOENT) return false;
  int folder = open_folder(path->folder, false);
  if (folder < 0) return false;
  char text[24];
  bool is_for_now = false;
  int file = openat(folder, AWAY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file >= 0) {
    int size = snprintf(text, sizeof text, "%lld", now_ms());
    is_for_now = write_all(file, text, (size_t)size);
  } else if (errno == EEXIST && (file = openat(folder, AWAY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) >= 0) {
    ssize_t size = read(file, text, sizeof text - 1);
    text[size > 0 ? size : 0] = 0;
    // Empty: another STATUS is just noting it.
    is_for_now = size == 0 || (size > 0 && now_ms() - atoll(text) < AWAY_MS);
  }
  if (file >= 0) close(file);
  close(folder);
  return is_for_now;
}

/**
 * Whether the journal of the agent (lib/network/agent/journal.ts) has a note. Pods that are wired go on without an agent, and would pay
 * for a node that is not ready: the kubelet then starts no container of theirs again, they leave their Services, and are evicted.
 */
static bool is_anything_wired(const struct path *path) {
  char where[PATH_LONGEST + 16];
  snprintf(where, sizeof where, "%s/journal", path->folder);
  int folder = open_folder(where, false);
  DIR *journal = folder < 0 ? NULL : fdopendir(folder);
  if (journal == NULL) {
    if (folder >= 0) close(folder);
    return false;
  }
  bool is_found = false;
  for (struct dirent *note; !is_found && (note = readdir(journal)) != NULL;) {
    size_t size = strlen(note->d_name);
    is_found = size > 5 && strcmp(note->d_name + size - 5, ".json") == 0;
  }
  closedir(journal);
  return is_found;
}

/** "cniVersion: The value of cniVersion specified on input". An old runtime gives nothing on stdin. */
__attribute__((noreturn)) static void tell_version(void) {
  char bytes[256];
  struct out out = {.at = bytes, .size = sizeof bytes};
  put_text(&out, "{\"cniVersion\":");
  put_string(&out, version);
  put_text(&out, ",\"supportedVersions\":[\"0.4.0\",\"1.0.0\",\"" NEWEST "\"]}\n");
  print(out.at, out.used);
  exit(0);
}

int main(void) {
  const char *command = text_of("CNI_COMMAND");
  const struct verb *verb = verb_named(command);
  long long from_ms = now_ms();
  ends_at_ms = from_ms + (verb == NULL ? VERSION_DEADLINE_MS : verb->deadline_ms);

  // The configuration comes first, so that every answer says its version; what is wrong with it comes after the environment, as in skel.
  size_t where = 0;
  const char *unread = read_config();
  const char *wrong = unread == NULL ? json_object(config, config_size, members, MEMBERS_COUNT, &where) : NULL;
  if (unread == NULL && wrong == NULL) note_version();
  bool is_version = strcmp(command, "VERSION") == 0;
  if (verb == NULL && !is_version)
    fail(INVALID_ENVIRONMENT, "CNI_COMMAND is '%.100s'; it is ADD, DEL, CHECK, STATUS, GC or VERSION. A container runtime sets it.", command);
  if (verb != NULL) check_environment(verb);
  if (unread != NULL) fail(config_size > CONFIG_MAX ? INVALID_CONFIG : IO_FAILURE, "the network configuration on stdin: %s.", unread);
  if (is_version && config_size == 0) tell_version();
  if (wrong != NULL)
    fail(DECODING_FAILURE, "the network configuration on stdin, %zu bytes, is no JSON object: %s at byte %zu.", config_size, wrong, where);
  if (is_version) tell_version();
  check_version(verb);
  check_config();
  ends_at_ms = from_ms + deadline_of(verb);

  struct path path;
  struct head head;
  struct failure failure;
  socket_path(&path);
  write_document();
  bool is_status = strcmp(verb->name, "STATUS") == 0;
  if (ask(verb, &path, &head, &failure)) {
    if (is_status) note_answered(&path);
    print(answer + head.size, head.body_size);
    return head.status < 300 ? 0 : 1;
  }
  if (strcmp(verb->name, "DEL") == 0) {
    leave_tombstone(&path, &failure);
    return 0;
  }
  if (is_status && (is_away_for_now(&path, &failure) || is_anything_wired(&path))) return 0;
  // Whatever keeps STATUS from its answer, pods can't be started.
  enum code code = failure.code == TRY_AGAIN_LATER || verb->away == NOT_AVAILABLE ? verb->away : failure.code;
  fail(code, "gala cni on %s: %s. Look at the agent's pod on this node: kubectl -n gala-system get pods -l app.kubernetes.io/name=gala-cni -o wide",
       path.whole, failure.why);
}
