#include "json.h"

#include <string.h>

/** Of a config 6 are usual; a reader that calls itself must know where to stop. */
enum { DEEPEST = 64 };

struct reader {
  const unsigned char *at;
  const unsigned char *end;
  int depth;
  const char *wrong;
};

static bool value(struct reader *in);

static bool is_wrong(struct reader *in, const char *what) {
  if (in->wrong == NULL) in->wrong = what;
  return false;
}

static void skip_blanks(struct reader *in) {
  while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) in->at++;
}

static bool next_is(struct reader *in, unsigned char byte) {
  if (in->at == in->end || *in->at != byte) return false;
  in->at++;
  return true;
}

/** How many bytes the character takes that starts here; 0: no UTF-8. Table 3-7 of the Unicode Standard. */
static size_t character(const unsigned char *at, const unsigned char *end) {
  unsigned char first = at[0];
  if (first < 0x80) return 1;
  size_t size = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (size == 0 || (size_t)(end - at) < size) return 0;
  unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at[1] < least || at[1] > most) return 0;
  for (size_t i = 2; i < size; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  return size;
}

static bool is_hex(unsigned char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool escape(struct reader *in) {
  if (in->at == in->end) return is_wrong(in, "a string that does not end");
  unsigned char letter = *in->at;
  if (letter == 0 || strchr("\"\\/bfnrtu", letter) == NULL) return is_wrong(in, "an unknown escape");
  in->at++;
  if (letter != 'u') return true;
  for (int i = 0; i < 4; i++, in->at++)
    if (in->at == in->end || !is_hex(*in->at)) return is_wrong(in, "an unknown escape");
  return true;
}

static bool string(struct reader *in) {
  if (!next_is(in, '"')) return is_wrong(in, "no string where one belongs");
  while (in->at < in->end) {
    if (next_is(in, '"')) return true;
    if (next_is(in, '\\')) {
      if (!escape(in)) return false;
      continue;
    }
    if (*in->at < 0x20) return is_wrong(in, "a control character in a string");
    size_t size = character(in->at, in->end);
    if (size == 0) return is_wrong(in, "bytes that are no UTF-8");
    in->at += size;
  }
  return is_wrong(in, "a string that does not end");
}

static bool digits(struct reader *in) {
  const unsigned char *from = in->at;
  while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
  return in->at > from || is_wrong(in, "a number without digits");
}

static bool number(struct reader *in) {
  next_is(in, '-');
  if (!next_is(in, '0') && !digits(in)) return false;
  if (next_is(in, '.') && !digits(in)) return false;
  if (!next_is(in, 'e') && !next_is(in, 'E')) return true;
  if (!next_is(in, '+')) next_is(in, '-');
  return digits(in);
}

static bool word(struct reader *in, const char *word) {
  size_t size = strlen(word);
  if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0) return is_wrong(in, "no value where one belongs");
  in->at += size;
  return true;
}

static bool array(struct reader *in) {
  in->at++;
  skip_blanks(in);
  if (next_is(in, ']')) return true;
  do {
    if (!value(in)) return false;
    skip_blanks(in);
  } while (next_is(in, ','));
  return next_is(in, ']') || is_wrong(in, "an array that does not end");
}

static bool is_named(struct slice quoted, const char *name) {
  size_t size = strlen(name);
  return quoted.size == size + 2 && memcmp(quoted.at + 1, name, size) == 0;
}

static struct slice since(const struct reader *in, const unsigned char *from) {
  return (struct slice){(const char *)from, (size_t)(in->at - from)};
}

static bool object(struct reader *in, struct member *members, int count) {
  in->at++;
  skip_blanks(in);
  if (next_is(in, '}')) return true;
  do {
    skip_blanks(in);
    const unsigned char *name_at = in->at;
    if (!string(in)) return false;
    struct slice name = since(in, name_at);
    skip_blanks(in);
    if (!next_is(in, ':')) return is_wrong(in, "a name without a value");
    skip_blanks(in);
    const unsigned char *value_at = in->at;
    if (!value(in)) return false;
    for (int i = 0; i < count; i++)
      if (is_named(name, members[i].name)) members[i].value = since(in, value_at);
    skip_blanks(in);
  } while (next_is(in, ','));
  return next_is(in, '}') || is_wrong(in, "an object that does not end");
}

static bool value(struct reader *in) {
  skip_blanks(in);
  if (in->at == in->end) return is_wrong(in, "no value where one belongs");
  if (++in->depth > DEEPEST) return is_wrong(in, "more than 64 levels");
  bool is_right;
  switch (*in->at) {
    case '{':
      is_right = object(in, NULL, 0);
      break;
    case '[':
      is_right = array(in);
      break;
    case '"':
      is_right = string(in);
      break;
    case 't':
      is_right = word(in, "true");
      break;
    case 'f':
      is_right = word(in, "false");
      break;
    case 'n':
      is_right = word(in, "null");
      break;
    default:
      is_right = *in->at == '-' || (*in->at >= '0' && *in->at <= '9') ? number(in) : is_wrong(in, "no value where one belongs");
  }
  in->depth--;
  return is_right;
}

const char *json_object(const char *text, size_t size, struct member *members, int count, size_t *where) {
  const unsigned char *from = (const unsigned char *)text;
  struct reader in = {.at = from, .end = from + size, .depth = 1};
  for (int i = 0; i < count; i++) members[i].value = (struct slice){NULL, 0};
  skip_blanks(&in);
  if (in.at == in.end || *in.at != '{') is_wrong(&in, "no object");
  else if (object(&in, members, count)) {
    skip_blanks(&in);
    if (in.at != in.end) is_wrong(&in, "something after the object");
  }
  *where = (size_t)(in.at - from);
  return in.wrong;
}

struct slice json_plain(struct slice value) {
  if (value.size < 2 || value.at[0] != '"' || memchr(value.at, '\\', value.size) != NULL) return (struct slice){NULL, 0};
  return (struct slice){value.at + 1, value.size - 2};
}

static bool is_control(const unsigned char *at) {
  return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f);
}

bool is_plain_text(const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  const unsigned char *end = at + strlen(text);
  while (at < end) {
    size_t size = character(at, end);
    if (size == 0 || is_control(at)) return false;
    at += size;
  }
  return true;
}

void put(struct out *out, const char *bytes, size_t size) {
  if (size > out->size - out->used) {
    out->is_full = true;
    return;
  }
  memcpy(out->at + out->used, bytes, size);
  out->used += size;
}

void put_text(struct out *out, const char *text) {
  put(out, text, strlen(text));
}

void put_string(struct out *out, const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  const unsigned char *end = at + strlen(text);
  put(out, "\"", 1);
  while (at < end) {
    size_t size = character(at, end);
    if (size == 0 || is_control(at)) put(out, "?", 1);
    else {
      if (*at == '"' || *at == '\\') put(out, "\\", 1);
      put(out, (const char *)at, size);
    }
    at += size == 0 ? 1 : size;
  }
  put(out, "\"", 1);
}
