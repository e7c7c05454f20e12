/*
 * What the test bed does in a node: the last process of init.sh, as process 1. It runs the commands that the bed asks for, one
 * process each, and buries orphans.
 *
 *   serve TTY FOLDER
 *
 * The bed and serve talk in lines over a serial port, which works whatever the network is doing: `12\n` asks to run
 * FOLDER/12/argv, words that end in NUL, with FOLDER/12/{stdin,stdout,stderr}; `12 0\n` says that it ended with exit code 0, or
 * with 128 + the signal. `-12\n` kills it and its process group. `halt\n` writes everything to disk and switches the node off.
 * `ready\n` is said once, at the start.
 *
 *   gcc -static -O2 -o serve serve.c
 */
#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { MOST_COMMANDS = 256, MOST_WORDS = 256, MOST_BYTES = 1 << 17 };

struct command {
  pid_t pid; /* 0: free */
  long id;
};

static struct command commands[MOST_COMMANDS];
static int bed;
static const char *folder;

static void say(const char *line) {
  size_t left = strlen(line);
  while (left > 0) {
    ssize_t written = write(bed, line, left);
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    if (written > 0) line += written, left -= (size_t)written;
  }
}

static void say_ended(long id, int code) {
  char line[64];
  snprintf(line, sizeof line, "%ld %d\n", id, code);
  say(line);
}

static int opened(long id, const char *name, int flags) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%ld/%s", folder, id, name);
  return open(path, flags | O_CLOEXEC, 0600);
}

/* In the child. Whatever goes wrong is said on its stderr, with the exit codes that shells have for it. */
static void become(long id) {
  static char words[MOST_BYTES];
  char *argv[MOST_WORDS + 1];
  int in = opened(id, "stdin", O_RDONLY), out = opened(id, "stdout", O_WRONLY | O_CREAT | O_APPEND),
      err = opened(id, "stderr", O_WRONLY | O_CREAT | O_APPEND), list = opened(id, "argv", O_RDONLY);
  if (err >= 0) dup2(err, 2);
  if (in >= 0) dup2(in, 0);
  if (out >= 0) dup2(out, 1);
  ssize_t size = list < 0 ? -1 : read(list, words, sizeof words - 1);
  if (in < 0 || out < 0 || err < 0 || size <= 0) _exit(126);
  int count = 0;
  for (char *word = words; word < words + size && count < MOST_WORDS; word += strlen(word) + 1) argv[count++] = word;
  argv[count] = NULL;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  execvp(argv[0], argv);
  dprintf(2, "%s: %s\n", argv[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

static void end(long id) {
  for (int i = 0; i < MOST_COMMANDS; i++)
    if (commands[i].pid != 0 && commands[i].id == id) kill(-commands[i].pid, SIGKILL);
}

static void run(long id) {
  for (int i = 0; i < MOST_COMMANDS; i++) {
    if (commands[i].pid != 0) continue;
    pid_t pid = fork();
    if (pid == 0) become(id);
    if (pid < 0) break;
    commands[i] = (struct command){pid, id};
    return;
  }
  say_ended(id, 126);
}

static void bury(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    for (int i = 0; i < MOST_COMMANDS; i++) {
      if (commands[i].pid != pid) continue;
      commands[i].pid = 0;
      say_ended(commands[i].id, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
}

static void obey(const char *line) {
  if (strcmp(line, "halt") == 0) {
    sync();
    reboot(RB_POWER_OFF);
  }
  char *rest;
  long id = strtol(line, &rest, 10);
  if (*line == '\0' || *rest != '\0') return;
  if (id > 0) run(id);
  else end(-id);
}

static void woken(int signal) { (void)signal; }

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  folder = argv[2];
  bed = open(argv[1], O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (bed < 0) return perror(argv[1]), 1;
  struct termios raw;
  tcgetattr(bed, &raw);
  cfmakeraw(&raw);
  tcsetattr(bed, TCSANOW, &raw);

  /* SIGCHLD is let in while ppoll waits only: none is missed between looking and waiting. */
  sigset_t child, before;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, &before);
  sigdelset(&before, SIGCHLD);
  signal(SIGCHLD, woken);

  say("ready\n");
  char line[128];
  size_t length = 0;
  for (;;) {
    struct pollfd input = {.fd = bed, .events = POLLIN};
    int found = ppoll(&input, 1, NULL, &before);
    bury();
    if (found <= 0) continue;
    char byte;
    if (read(bed, &byte, 1) != 1) continue;
    if (byte != '\n') {
      if (length < sizeof line - 1) line[length++] = byte;
      continue;
    }
    line[length] = '\0';
    length = 0;
    obey(line);
  }
}
