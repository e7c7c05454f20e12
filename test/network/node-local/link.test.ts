import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { linkLines, NODE_LINK } from '../../../lib/network/node-local/link.ts';
import type { Seen } from '../../../lib/network/wiring/check.ts';

type Links = Seen['links'];
const aLink = (addresses: readonly string[], flags = ['BROADCAST', 'NOARP', 'UP', 'LOWER_UP'], ifname = NODE_LINK): Links[number] => ({
  ...{ ifname, mtu: 1500, flags },
  addr_info: addresses.map((each) => ({ local: each.split('/')[0]!, prefixlen: Number(each.split('/')[1] ?? 32) })),
});
const texts = (wanted: readonly string[], links: Links) => linkLines(wanted, links).map(({ line }) => line);

describe('the link of node-local addresses', () => {
  test('is made with its addresses where there is none', () => {
    expect(texts(['10.96.0.1', '169.254.20.10'], [aLink(['127.0.0.1/8'], ['UP'], 'lo')])).toEqual([
      'link add gala-api type dummy',
      'link set gala-api up',
      'addr add 10.96.0.1/32 dev gala-api',
      'addr add 169.254.20.10/32 dev gala-api',
    ]);
  });

  test('is left alone when all is as it should be, the IPv6 address that the kernel gave it too', () => {
    expect(texts(['10.96.0.1'], [aLink(['10.96.0.1', 'fe80::1/64'])])).toEqual([]);
  });

  test('an address of another service range goes, after the new one came', () => {
    expect(texts(['10.100.0.1'], [aLink(['10.96.0.1'])])).toEqual([
      'addr add 10.100.0.1/32 dev gala-api',
      'addr del 10.96.0.1/32 dev gala-api',
    ]);
  });

  test('that somebody took down is up again', () => {
    expect(texts(['10.96.0.1'], [aLink(['10.96.0.1'], ['BROADCAST'])])).toEqual(['link set gala-api up']);
  });

  test('goes where nothing is wanted on it, and only where it is', () => {
    expect(texts([], [aLink(['10.96.0.1'])])).toEqual(['link del gala-api']);
    expect(texts([], [aLink(['10.0.0.1/24'], ['UP'], 'eth0')])).toEqual([]);
  });

  test('whatever there was, once its lines are done there is nothing more to do', () => {
    const ips = fc.uniqueArray(fc.constantFrom('10.96.0.1', '10.100.0.1', '169.254.20.10', '172.20.0.1'));
    fc.assert(
      fc.property(ips, fc.option(fc.record({ has: ips, isUp: fc.boolean() })), (wanted, before) => {
        const links = before === null ? [] : [aLink(before.has, before.isUp ? ['UP'] : [])];
        expect(linkLines(wanted, after(links, texts(wanted, links)))).toEqual([]);
      }),
    );
  });
});

/** What `ip -batch` would leave. */
function after(links: Links, lines: readonly string[]): Links {
  let link = links[0] as { flags: string[]; addr_info: { local: string; prefixlen: number }[] } | undefined;
  for (const line of lines) {
    const [, what, address = ''] = line.split(' ');
    if (line.startsWith('link add')) link = structuredClone(aLink([], [])) as never;
    else if (line.startsWith('link del')) link = undefined;
    else if (line.startsWith('link set')) link!.flags.push('UP');
    else if (what === 'add') link!.addr_info.push({ local: address.split('/')[0]!, prefixlen: 32 });
    else link!.addr_info = link!.addr_info.filter(({ local }) => `${local}/32` !== address);
  }
  return link === undefined ? [] : [link as never];
}
