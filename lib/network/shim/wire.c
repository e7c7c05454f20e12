/**
 * gala-wire: enters network namespaces, writes settings and starts ip and tc for `gala cni`, which decides what is done there
 * (lib/network/agent/kernel.ts). It is started once and asked often: to start a program costs Node.js, with its memory, several
 * milliseconds in which it does nothing else; to start one from here costs next to nothing. No shell reads anything.
 *
 *   in    netns <path>                     what follows is done in that network namespace, and after `end` in the first one again
 *         set <path> <value>               writes a file
 *         run <bytes> <program> <word>…    with so many bytes after the line as its stdin
 *         end                              of the job; the next may follow
 *   out   <ok|no> <bytes>, and so many bytes: what the programs printed, or why it stopped, after which nothing more of the job was done
 *
 * It ends with its stdin. When `gala cni` is killed the kernel kills it, and what it has started: what comes after finds nobody at
 * work still. Memory is fixed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  LINE_MAX_BYTES = 8192,
  WORDS_MAX = 16,
  COPY_BYTES = 65536,
  NOT_STARTED = 127,
};

/** Files without names: what a program reads, prints, and says is wrong. */
static int given, printed, said;
static int own;
static bool is_away;
/** Why the job has stopped. */
static bool is_stopped;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("gala-wire: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

__attribute__((format(printf, 1, 2))) static void stop(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vdprintf(said, format, values);
  va_end(values);
  is_stopped = true;
}

static void emptied(int file) {
  if (ftruncate(file, 0) != 0 || lseek(file, 0, SEEK_SET) != 0) die("a file in memory: %s", strerror(errno));
}

static void write_all(int to, const char *at, size_t size) {
  while (size > 0) {
    ssize_t written = write(to, at, size);
    if (written < 0 && errno == EINTR) continue;
    // Nobody reads it any more.
    if (written <= 0) exit(1);
    at += written;
    size -= (size_t)written;
  }
}

static void enter(const char *path) {
  int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) != 0) stop("network namespace %s: %s", path, strerror(errno));
  if (space >= 0) close(space);
  is_away = true;
}

static void set(const char *path, const char *value) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  size_t size = strlen(value);
  if (file < 0 || write(file, value, size) != (ssize_t)size) stop("%s = %s: %s", path, value, strerror(errno));
  if (file >= 0) close(file);
}

static void run(char *const words[]) {
  if (lseek(given, 0, SEEK_SET) != 0) die("a file in memory: %s", strerror(errno));
  pid_t child = fork();
  if (child < 0) {
    stop("%s: %s", words[0], strerror(errno));
    return;
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(given, 0) == 0 && dup2(printed, 1) == 1 && dup2(said, 2) == 2) execvp(words[0], words);
    dprintf(said, "%s: %s", words[0], strerror(errno));
    _exit(NOT_STARTED);
  }
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) die("%s: %s", words[0], strerror(errno));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  is_stopped = true;
  if (lseek(said, 0, SEEK_CUR) > 0) return;
  if (WIFEXITED(status)) stop("%s: exit code %d", words[0], WEXITSTATUS(status));
  else stop("%s: ended by signal %d", words[0], WTERMSIG(status));
}

/** What is wrong comes whole; what was printed before it does not matter then. */
static void answer(void) {
  static char bytes[COPY_BYTES];
  int from = is_stopped ? said : printed;
  off_t left = lseek(from, 0, SEEK_END);
  if (left < 0 || lseek(from, 0, SEEK_SET) != 0) die("a file in memory: %s", strerror(errno));
  write_all(1, bytes, (size_t)snprintf(bytes, sizeof bytes, "%s %lld\n", is_stopped ? "no" : "ok", (long long)left));
  while (left > 0) {
    ssize_t size = read(from, bytes, sizeof bytes);
    if (size <= 0) die("a file in memory: %s", strerror(errno));
    write_all(1, bytes, (size_t)size);
    left -= size;
  }
}

static void begin(void) {
  emptied(printed);
  emptied(said);
  is_stopped = false;
  if (is_away && setns(own, CLONE_NEWNET) != 0) die("its own network namespace: %s", strerror(errno));
  is_away = false;
}

/** From stdin to the file that is the program's. */
static void read_given(size_t size) {
  static char bytes[COPY_BYTES];
  emptied(given);
  while (size > 0) {
    size_t got = fread(bytes, 1, size < sizeof bytes ? size : sizeof bytes, stdin);
    if (got == 0) exit(0);
    write_all(given, bytes, got);
    size -= got;
  }
}

static int words_of(char *line, char *words[]) {
  int count = 0;
  char *rest;
  for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    if (count == WORDS_MAX) die("a line of more than %d words", WORDS_MAX);
    words[count++] = word;
  }
  words[count] = NULL;
  return count;
}

/** @returns whether it is the last of a job */
static bool is_end(char *line) {
  char *words[WORDS_MAX + 1];
  int count = words_of(line, words);
  const char *verb = count == 0 ? "" : words[0];
  if (count == 1 && strcmp(verb, "end") == 0) return true;
  if (count >= 3 && strcmp(verb, "run") == 0) {
    read_given(strtoul(words[1], NULL, 10));
    if (!is_stopped) run(words + 2);
  } else if (count == 2 && strcmp(verb, "netns") == 0) {
    if (!is_stopped) enter(words[1]);
  } else if (count == 3 && strcmp(verb, "set") == 0) {
    if (!is_stopped) set(words[1], words[2]);
  } else die("'%.100s' of %d words is none of netns <path>, set <path> <value>, run <bytes> <program> <word>…, end", verb, count);
  return false;
}

int main(void) {
  static char line[LINE_MAX_BYTES];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  given = memfd_create("given", MFD_CLOEXEC);
  printed = memfd_create("printed", MFD_CLOEXEC);
  said = memfd_create("said", MFD_CLOEXEC);
  if (own < 0 || given < 0 || printed < 0 || said < 0) die("it could not begin: %s", strerror(errno));
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t size = strlen(line);
    if (size == 0 || line[size - 1] != '\n') die("a line of more than %d bytes, or without its end", LINE_MAX_BYTES);
    line[size - 1] = 0;
    if (!is_end(line)) continue;
    answer();
    begin();
  }
  return 0;
}
