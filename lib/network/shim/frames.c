#include "frames.h"

#include <string.h>

enum {
  TYPE_IPV4 = 0x0800,
  TYPE_ARP = 0x0806,
  TYPE_IPV6 = 0x86dd,

  ETHER_SIZE = 14,
  /** For IPv4 on Ethernet. */
  ARP_SIZE = 28,
  ARP_ETHERNET = 1,
  ARP_REQUEST = 1,
  ARP_REPLY = 2,

  IPV6_SIZE = 40,
  IPV4_BYTES = 4,
  IPV6_BYTES = 16,
  ICMPV6 = 58,
  /** "The IP Hop Limit field has a value of 255, i.e., the packet could not possibly have been forwarded by a router" (RFC 4861, 7.1). */
  HOP_LIMIT = 255,
  SOLICITATION = 135,
  ADVERTISEMENT = 136,
  /** Of both, before the options. */
  NEIGHBOUR_SIZE = 24,
  OPTION_SOURCE = 1,
  OPTION_TARGET = 2,
  /** Options are counted in these. */
  OPTION_UNIT = 8,
};

static const uint8_t EVERYBODY[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t NOBODY[IPV6_BYTES] = {0};
static const uint8_t SOLICITED_NODE[13] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff};

static unsigned read16(const uint8_t *at) {
  return (unsigned)at[0] << 8 | at[1];
}

static void write16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static size_t size_of(bool is_v6) {
  return is_v6 ? IPV6_BYTES : IPV4_BYTES;
}

bool is_same(const struct address *a, const struct address *b) {
  return a->is_v6 == b->is_v6 && memcmp(a->bytes, b->bytes, size_of(a->is_v6)) == 0;
}

bool is_of_host(const struct address *address) {
  const uint8_t *bytes = address->bytes;
  // 0.0.0.0/8, 127.0.0.0/8, and from 224.0.0.0 on: multicast, reserved, broadcast.
  if (!address->is_v6) return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
  bool is_low = memcmp(bytes, NOBODY, IPV6_BYTES - 1) == 0 && bytes[IPV6_BYTES - 1] <= 1;
  return !is_low && bytes[0] != 0xff;
}

void group_of(const struct address *address, uint8_t mac[MAC_SIZE]) {
  mac[0] = mac[1] = 0x33;
  mac[2] = 0xff;
  memcpy(mac + 3, address->bytes + IPV6_BYTES - 3, 3);
}

/** Of ICMPv6, with the pseudo-header (RFC 8200, 8.1). Over a message whose checksum is in it: 0 when it is right. */
static unsigned checksum(const uint8_t *ipv6, const uint8_t *message, size_t size) {
  uint32_t sum = ICMPV6 + (uint32_t)size;
  for (size_t i = 0; i < 2 * IPV6_BYTES; i += 2) sum += read16(ipv6 + 8 + i);
  for (size_t i = 0; i + 1 < size; i += 2) sum += read16(message + i);
  if (size % 2 == 1) sum += (uint32_t)message[size - 1] << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

static uint8_t *ether(uint8_t *frame, const uint8_t to[MAC_SIZE], const uint8_t own[MAC_SIZE], unsigned type) {
  memcpy(frame, to, MAC_SIZE);
  memcpy(frame + MAC_SIZE, own, MAC_SIZE);
  write16(frame + 2 * MAC_SIZE, type);
  return frame + ETHER_SIZE;
}

static size_t arp_question(uint8_t *frame, const uint8_t own[MAC_SIZE], const struct address *target, const struct address *from) {
  uint8_t *arp = ether(frame, EVERYBODY, own, TYPE_ARP);
  write16(arp, ARP_ETHERNET);
  write16(arp + 2, TYPE_IPV4);
  arp[4] = MAC_SIZE;
  arp[5] = IPV4_BYTES;
  write16(arp + 6, ARP_REQUEST);
  memcpy(arp + 8, own, MAC_SIZE);
  // "'sender IP address' field MUST be set to all zeroes; this is to avoid polluting ARP caches in other hosts" (RFC 5227, 2.1.1).
  memcpy(arp + 14, from == NULL ? NOBODY : from->bytes, IPV4_BYTES);
  memset(arp + 18, 0, MAC_SIZE);
  memcpy(arp + 24, target->bytes, IPV4_BYTES);
  return ETHER_SIZE + ARP_SIZE;
}

static size_t solicitation(uint8_t *frame, const uint8_t own[MAC_SIZE], const struct address *target, const struct address *from) {
  uint8_t group[MAC_SIZE];
  group_of(target, group);
  uint8_t *ipv6 = ether(frame, group, own, TYPE_IPV6), *message = ipv6 + IPV6_SIZE;
  // "MUST NOT be included when the source IP address is the unspecified address" (RFC 4861, 4.3): an option with the sender's MAC.
  size_t size = NEIGHBOUR_SIZE + (from == NULL ? 0 : OPTION_UNIT);
  memset(ipv6, 0, IPV6_SIZE + size);
  ipv6[0] = 6 << 4;
  write16(ipv6 + 4, (unsigned)size);
  ipv6[6] = ICMPV6;
  ipv6[7] = HOP_LIMIT;
  if (from != NULL) memcpy(ipv6 + 8, from->bytes, IPV6_BYTES);
  memcpy(ipv6 + 24, SOLICITED_NODE, sizeof SOLICITED_NODE);
  memcpy(ipv6 + 24 + sizeof SOLICITED_NODE, target->bytes + sizeof SOLICITED_NODE, IPV6_BYTES - sizeof SOLICITED_NODE);
  message[0] = SOLICITATION;
  memcpy(message + 8, target->bytes, IPV6_BYTES);
  if (from != NULL) {
    message[NEIGHBOUR_SIZE] = OPTION_SOURCE;
    message[NEIGHBOUR_SIZE + 1] = 1;
    memcpy(message + NEIGHBOUR_SIZE + 2, own, MAC_SIZE);
  }
  write16(message + 2, checksum(ipv6, message, size));
  return ETHER_SIZE + IPV6_SIZE + size;
}

size_t question(uint8_t frame[QUESTION_SIZE_MAX], const uint8_t own[MAC_SIZE], const struct address *target, const struct address *from) {
  return (target->is_v6 ? solicitation : arp_question)(frame, own, target, from);
}

static struct heard says(enum heard_kind kind, bool is_v6, const uint8_t *address, const uint8_t *mac) {
  struct heard heard = {.kind = kind, .address.is_v6 = is_v6};
  memcpy(heard.address.bytes, address, size_of(is_v6));
  memcpy(heard.mac, mac, MAC_SIZE);
  return heard;
}

static const struct heard SILENCE = {.kind = NOTHING};

/** "any ARP packet (Request *or* Reply) … where the packet's 'sender IP address' is the address being probed for" (RFC 5227, 2.1.1). */
static struct heard heard_of_arp(const uint8_t *arp, size_t size) {
  if (size < ARP_SIZE) return SILENCE;
  if (read16(arp) != ARP_ETHERNET || read16(arp + 2) != TYPE_IPV4 || arp[4] != MAC_SIZE || arp[5] != IPV4_BYTES) return SILENCE;
  unsigned operation = read16(arp + 6);
  const uint8_t *mac = arp + 8, *sender = arp + 14, *target = arp + 24;
  if ((operation != ARP_REQUEST && operation != ARP_REPLY) || memcmp(mac, NOBODY, MAC_SIZE) == 0) return SILENCE;
  if (memcmp(sender, NOBODY, IPV4_BYTES) != 0) return says(HAS, false, sender, mac);
  return operation == ARP_REQUEST ? says(PROBES, false, target, mac) : SILENCE;
}

/**
 * Looks for the MAC address in the options.
 * @param mac stays as it is where no option says another
 * @returns whether all of them are right: "all included options have a length that is greater than zero" (RFC 4861, 7.1)
 */
static bool read_options(const uint8_t *at, size_t size, uint8_t wanted, const uint8_t **mac) {
  while (size > 0) {
    size_t length = size < 2 ? 0 : (size_t)at[1] * OPTION_UNIT;
    if (length == 0 || length > size) return false;
    if (at[0] == wanted && length == OPTION_UNIT) *mac = at + 2;
    at += length;
    size -= length;
  }
  return true;
}

/** @param ether_source the MAC address where no option says one */
static struct heard heard_of_neighbour(const uint8_t *ipv6, size_t size, const uint8_t *ether_source) {
  if (size < IPV6_SIZE + NEIGHBOUR_SIZE || ipv6[0] >> 4 != 6 || ipv6[6] != ICMPV6 || ipv6[7] != HOP_LIMIT) return SILENCE;
  size_t length = read16(ipv6 + 4);
  const uint8_t *message = ipv6 + IPV6_SIZE, *source = ipv6 + 8, *target = message + 8, *mac = ether_source;
  if (length < NEIGHBOUR_SIZE || length > size - IPV6_SIZE || message[1] != 0 || target[0] == 0xff) return SILENCE;
  if (message[0] != SOLICITATION && message[0] != ADVERTISEMENT) return SILENCE;
  if (checksum(ipv6, message, length) != 0) return SILENCE;
  uint8_t wanted = message[0] == SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
  if (!read_options(message + NEIGHBOUR_SIZE, length - NEIGHBOUR_SIZE, wanted, &mac) || memcmp(mac, NOBODY, MAC_SIZE) == 0) return SILENCE;
  if (message[0] == ADVERTISEMENT) return says(HAS, true, target, mac);
  return memcmp(source, NOBODY, IPV6_BYTES) == 0 ? says(PROBES, true, target, mac) : says(HAS, true, source, mac);
}

struct heard heard_of(const uint8_t *frame, size_t size) {
  if (size < ETHER_SIZE) return SILENCE;
  unsigned type = read16(frame + 2 * MAC_SIZE);
  if (type == TYPE_ARP) return heard_of_arp(frame + ETHER_SIZE, size - ETHER_SIZE);
  if (type == TYPE_IPV6) return heard_of_neighbour(frame + ETHER_SIZE, size - ETHER_SIZE, frame + MAC_SIZE);
  return SILENCE;
}
