/**
 * A machine on the wire that says what a test wants: `stranger <link> <hex>…` sends these frames over and over, until it is ended, and
 * prints a line once it has sent them all. `stranger - <hex>…` prints what the probe hears in each, instead.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "frames.h"

enum { EVERY_US = 10000 };

/** @returns exactly as many bytes as there are, so that one that is read beyond is found */
static uint8_t *bytes_of(const char *hex, size_t *size) {
  *size = strlen(hex) / 2;
  uint8_t *bytes = malloc(*size == 0 ? 1 : *size);
  for (size_t i = 0; i < *size; i++) {
    unsigned byte = 0;
    sscanf(hex + 2 * i, "%2x", &byte);
    bytes[i] = (uint8_t)byte;
  }
  return bytes;
}

static void tell(const char *hex) {
  static const char *const KINDS[] = {[NOTHING] = "nothing", [HAS] = "has", [PROBES] = "probes"};
  char text[INET6_ADDRSTRLEN] = "";
  size_t size;
  uint8_t *bytes = bytes_of(hex, &size);
  struct heard heard = heard_of(bytes, size);
  free(bytes);
  if (heard.kind != NOTHING) inet_ntop(heard.address.is_v6 ? AF_INET6 : AF_INET, heard.address.bytes, text, sizeof text);
  printf("%s %s\n", KINDS[heard.kind], text);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  if (strcmp(argv[1], "-") == 0) {
    for (int i = 2; i < argc; i++) tell(argv[i]);
    return 0;
  }
  int wire = socket(AF_PACKET, SOCK_RAW, 0);
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1]), .sll_halen = ETH_ALEN};
  if (wire < 0 || to.sll_ifindex == 0) return 1;
  for (bool is_first = true;; is_first = false) {
    for (int i = 2; i < argc; i++) {
      size_t size;
      uint8_t *bytes = bytes_of(argv[i], &size);
      // What is shorter than an Ethernet header the kernel does not send.
      if (sendto(wire, bytes, size, 0, (struct sockaddr *)&to, sizeof to) < 0 && size >= ETH_HLEN) return 1;
      free(bytes);
    }
    if (is_first) puts("sent");
    fflush(stdout);
    usleep(EVERY_US);
  }
}
