/** The fields that several kinds and the definition share: each bound stands here once. */
import * as z from 'zod';
import type { FieldFacts } from './field.ts';
import { facts, integer, object, oneOf, text } from './field.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = `${OCTET}(\\.${OCTET}){3}`;
const PORT = '(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})';
/** The last label of a DNS name begins with a letter: `10.8.4` is a mistyped address, not a name. */
const DNS_NAME = '([a-z0-9]([-a-z0-9]*[a-z0-9])?\\.)*[a-z]([-a-z0-9]*[a-z0-9])?';

/** An `https` URL of a host and nothing else. */
export const httpsEndpoint = (doc: string, example: string) =>
  text({
    doc,
    max: 253,
    pattern: new RegExp(`^https://(${IPV4}|${DNS_NAME})(:${PORT})?/?$`),
    noun: 'https://<IPv4 or DNS name>[:<port>]',
    example,
  });

/** A name that becomes part of object names and label values (RFC 1123 label). */
export const dnsLabel = (doc: string, example: string, max = 63) =>
  text({ doc, min: 1, max, pattern: LABEL, noun: 'lower-case letters, digits and -, starting and ending with a letter or digit', example });

/** An RFC 1123 subdomain: what the API server itself asks of a name. */
export const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A Node's name. */
export const nodeName = (doc: string, example = 'bj-a-r12-01', max = 253) =>
  text({
    doc,
    min: 1,
    max,
    pattern: SUBDOMAIN,
    noun: 'a Node name (RFC 1123 subdomain)',
    example,
  });

export const vlanId = integer({
  doc: '802.1Q id that the rack switches trunk to the hosts.',
  label: 'VLAN id',
  noun: 'an 802.1Q id',
  min: 1,
  max: 4094,
  remedy: "Use the id that the racks' switches trunk.",
  example: 110,
});

export const ipv4 = (doc: string, example: string) =>
  text({ doc, max: 15, pattern: new RegExp(`^${IPV4}$`), noun: 'an IPv4 address, dotted', example });

export const cidr = (doc: string, example: string) =>
  text({ doc, max: 18, pattern: new RegExp(`^${IPV4}/(3[0-2]|[12]?[0-9])$`), noun: 'an IPv4 network such as 10.110.0.0/22', example });

/** A /96 whose last 32 bits are an IPv4 address (RFC 6052). Which of its 128 bits may be set synth checks. */
export const ipv6Prefix = (doc: string, example: string) =>
  text({ doc, max: 42, pattern: /^[0-9a-f:]{2,39}\/96$/, noun: 'an IPv6 network of 96 bits such as fd2c:7a41:d0e8:110::/96', example });

export const addressRange = (doc: string, example: string) =>
  text({ doc, max: 31, pattern: new RegExp(`^${IPV4}(-${IPV4}|/(3[0-2]|[12]?[0-9]))$`), noun: 'a range a-b or a CIDR', example });

export const mac = (doc: string, example = '02:67:0a:6e:02:25') =>
  text({ doc, max: 17, pattern: /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, noun: 'six lower-case hex octets', example });

/** A number, or one of a few forms of text: `x-kubernetes-int-or-string` in a CRD. */
export function intOrString(
  { doc, noun, remedy, example }: FieldFacts & { noun: string },
  { min, max, pattern, maxLength }: { min: number; max: number; pattern: RegExp; maxLength: number },
) {
  const schema = z
    .union([z.int().min(min).max(max), z.string().max(maxLength).regex(pattern)])
    .meta({ description: doc, examples: [example], intOrString: { minimum: min, maximum: max, maxLength, pattern: pattern.source } });
  facts.add(schema, { doc, noun, remedy, example });
  return schema;
}

/** Logical CPUs: `64`, `'500m'`, `'1.5'`. */
export const cpus = (doc: string, example: number | string) =>
  intOrString(
    { doc, noun: "CPUs, such as 64 or '500m'", remedy: 'Give the number of logical CPUs.', example },
    { min: 1, max: 10_000, maxLength: 12, pattern: /^([1-9][0-9]{0,3}(\.[0-9]{1,3})?|0\.[0-9]{1,3}|[1-9][0-9]{0,6}m)$/ },
  );

/** Bytes: `'256Gi'`. A bare number below a mebibyte is a forgotten unit. */
export const bytes = (doc: string, example: string) =>
  intOrString(
    { doc, noun: `bytes with their unit, such as '${example}'`, remedy: 'Mind the unit: Mi, Gi, Ti.', example },
    { min: 2 ** 20, max: Number.MAX_SAFE_INTEGER, maxLength: 20, pattern: /^[1-9][0-9]{0,12}(\.[0-9]{1,3})?(M|G|T|P|Ki|Mi|Gi|Ti|Pi)$/ },
  );

/** Bits a second, in powers of 1000 as networks count: `'25G'`. */
export const bitsPerSecond = (doc: string, example: string) =>
  intOrString(
    { doc, noun: `bits a second with their unit, such as '${example}'`, remedy: 'Mind the unit: M, G.', example },
    { min: 1_000_000, max: Number.MAX_SAFE_INTEGER, maxLength: 20, pattern: /^[1-9][0-9]{0,9}(\.[0-9]{1,3})?(M|G|T)$/ },
  );

/** A share of something, `50%`. */
export const percent = (doc: string, example = '50%') =>
  text({ doc, max: 4, pattern: /^(100|[1-9]?[0-9])%$/, noun: 'a share of 0% to 100%', example });

export const nodeset = (doc: string) =>
  text({
    doc,
    min: 1,
    max: 1024,
    pattern: /^[a-z0-9.,[\]-]+$/,
    noun: 'a nodeset: names with ranges in brackets, separated by commas',
    remedy: "Write ranges in brackets: 'bj-a-r12-[01-16]'.",
    example: 'bj-a-r12-[01-10]',
  });

export const timestamp = (doc: string) =>
  text({
    doc,
    max: 35,
    pattern:
      /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/,
    noun: 'a time as RFC 3339 writes it',
    example: '2027-02-16T20:00:00Z',
  });

export const uid = (doc: string) =>
  text({
    doc,
    max: 36,
    pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    noun: 'a UID',
    example: '0f8fad5b-d9cb-469f-a165-70867728950e',
  });

/** An EC2 id such as `subnet-0a1`. */
export const ec2Id = (prefix: string, doc: string) =>
  text({ doc, max: 64, pattern: new RegExp(`^${prefix}-[0-9a-z]+$`), noun: `an EC2 id ${prefix}-…`, example: `${prefix}-0a1b2c3d` });

/** A reason as one CamelCase word, as conditions have it. */
export const word = (doc: string, example: string) =>
  text({ doc, min: 1, max: 63, pattern: /^[A-Za-z]([A-Za-z0-9]*[A-Za-z0-9])?$/, noun: 'a word of letters and digits', example });

/** A sentence for people: status reasons and messages. */
export const message = (doc: string, max = 1024) => text({ doc, max, example: 'no address is free on VLAN 110' });

/** How slots are put on nodes. */
/** A cap in pods, or as a percentage of the lock's count, rounded up. */
const cap = (where: string) =>
  intOrString(
    {
      doc: `The most slots on one ${where}: a number, or a percentage of \`count\`, rounded up.`,
      noun: "a number of slots, or a percentage such as '30%'",
      example: '30%',
    },
    { min: 1, max: 5000, pattern: /^([1-9][0-9]?|100)%$/, maxLength: 4 },
  ).optional();

export const maxPer = object(
  { doc: 'Caps by place. A place without a cap takes what it can.' },
  { node: cap('node'), rack: cap('rack'), zone: cap('zone'), datacenter: cap('datacenter') },
);

export const near = dnsLabel('The datacenter to fill first, by its name; the others take what it has no room for.', 'bj-a');

export const strategy = oneOf(['concentrate', 'spread'], {
  doc: '`concentrate` fills hosts one after the other; `spread` keeps to caps per node, rack and zone.',
  default: 'spread',
  example: 'spread',
});
