/** JSON as the shim needs it: a text is checked where it lies, a few members are found, strings are written. Nothing is allocated. */
#ifndef GALA_JSON_H
#define GALA_JSON_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of somebody else's buffer, without a 0 at their end. */
struct slice {
  const char *at;
  size_t size;
};

/** A member to look for in the outermost object. Where a name is there twice the last one counts, as in Go. */
struct member {
  const char *name;
  /** As it stands in the text, quotes and escapes included; size 0: it is not there. */
  struct slice value;
};

/**
 * Whether a text is one JSON object, no more and no less: RFC 8259, UTF-8 (RFC 3629), at most 64 levels deep.
 * @param members filled in where the text is right
 * @returns NULL, or what is wrong; `where` is then the offset of the byte that can't be there
 */
const char *json_object(const char *text, size_t size, struct member *members, int count, size_t *where);

/** What is between the quotes of a string; size 0 where it is no string, is empty, or has escapes. */
struct slice json_plain(struct slice value);

/** Whether a C string is UTF-8 without control characters (C0, DEL, C1), so that it reads the same in JSON, a log and a terminal. */
bool is_plain_text(const char *text);

/** A buffer of a fixed size that text is put into. */
struct out {
  char *at;
  size_t size;
  size_t used;
  /** Something was left out: what is in it is of no use. */
  bool is_full;
};

void put(struct out *out, const char *bytes, size_t size);
void put_text(struct out *out, const char *text);
/** As a JSON string. Control characters and bytes that are no UTF-8 come out as `?`: only a message may have them. */
void put_string(struct out *out, const char *text);

#endif
