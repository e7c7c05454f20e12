/** The frames that ask who has an address, and what is heard of addresses: ARP (RFC 826, 5227) and neighbour discovery (RFC 4861, 4862). Pure. */
#ifndef GALA_FRAMES_H
#define GALA_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAC_SIZE = 6, QUESTION_SIZE_MAX = 128 };

struct address {
  bool is_v6;
  /** In the order of the wire; of IPv4 the first four. */
  uint8_t bytes[16];
};

bool is_same(const struct address *a, const struct address *b);

/** Whether a host may have it: neither unspecified nor loopback, multicast or broadcast. */
bool is_of_host(const struct address *address);

/** The Ethernet group that is asked for an IPv6 address: its solicited-node group (RFC 4291, 2.7.1). */
void group_of(const struct address *address, uint8_t mac[MAC_SIZE]);

/**
 * The frame that asks who has an address.
 * @param own the link's MAC address
 * @param from who asks; NULL: nobody yet, so that no neighbour learns anything by being asked
 * @returns its size
 */
size_t question(uint8_t frame[QUESTION_SIZE_MAX], const uint8_t own[MAC_SIZE], const struct address *target, const struct address *from);

enum heard_kind {
  NOTHING,
  /** `mac` says that it has the address. */
  HAS,
  /** `mac` is about to take the address, if nobody has it. */
  PROBES,
};

struct heard {
  enum heard_kind kind;
  struct address address;
  uint8_t mac[MAC_SIZE];
};

/** What an Ethernet frame says. Whatever is not right in every field says nothing. */
struct heard heard_of(const uint8_t *frame, size_t size);

#endif
