import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Ask, Options } from '../../../lib/network/wiring/plan.ts';
import { plan } from '../../../lib/network/wiring/plan.ts';
import { CODES, isRefusal, MESSAGES } from '../../../lib/network/wiring/refusal.ts';
import { batches, isWord, linesOf, undone } from '../../../lib/network/wiring/step.ts';
import { pages } from '../../docs/pages.ts';
import { Kernel } from './a-kernel.ts';
import { aLink, anAsk, anEniAsk, ENI_MAC, planned, refused } from './an-ask.ts';

/** What is run, as `host ip` and the lines, in order. */
const script = (ask: Ask) =>
  batches(planned(ask).steps.flatMap(linesOf)).flatMap(({ where, tool, lines }) => [`# ${where} ${tool}`, ...lines]);
const SHAPED = { 'kubernetes.io/egress-bandwidth': '10M', 'kubernetes.io/ingress-bandwidth': '1G' };

describe('a plan', () => {
  test('on a VLAN: the sub-interface if it is missing, a MacVlan on it, address, gateway, and a veth to the node', () => {
    expect(script(anAsk())).toEqual([
      '# pod sysctl',
      'net.ipv4.conf.default.arp_notify=1',
      'net.ipv4.conf.default.arp_ignore=1',
      'net.ipv4.conf.default.arp_announce=2',
      'net.ipv6.conf.default.disable_ipv6=1',
      '# host ip',
      'link add link bond0 name bond0.110 type vlan id 110',
      'link set dev bond0.110 up',
      'link add link bond0.110 name eth0 index 1728053248 address 02:67:0a:6e:00:82 netns /var/run/netns/cni-1 type macvlan mode bridge',
      expect.stringMatching(
        /^link add name gala[0-9a-f]{11} address 02:68:\S+ type veth peer name gala-node address 02:69:\S+ netns \/var\/run\/netns\/cni-1$/,
      ),
      expect.stringMatching(/^link set dev gala\S+ up$/),
      expect.stringMatching(/^neigh replace 10.110.0.130 lladdr 02:69:\S+ dev gala\S+ nud permanent$/),
      expect.stringMatching(/^route replace 10.110.0.130\/32 dev gala\S+ src 10.8.1.11$/),
      '# pod ip',
      'addr replace 10.110.0.130/24 dev eth0',
      'link set dev eth0 up',
      'route replace 0.0.0.0/0 via 10.110.0.1 dev eth0',
      'link set dev gala-node up',
      expect.stringMatching(/^neigh replace 10.8.1.11 lladdr 02:68:\S+ dev gala-node nud permanent$/),
      'route replace 10.8.1.11/32 dev gala-node src 10.110.0.130',
    ]);
  });

  test('on EC2: the ENI by its MAC, the router of its subnet, and no way to the metadata service', () => {
    const lines = script(anEniAsk());
    expect(lines).toContain('link set dev ens6 netns /var/run/netns/cni-1 name eth0');
    expect(lines).toContain('addr replace 10.16.4.21/24 dev eth0');
    expect(lines).toContain('route replace 0.0.0.0/0 via 10.16.4.1 dev eth0');
    expect(lines.at(-1)).toBe('route replace unreachable 169.254.169.254/32');
    expect(lines.join()).not.toMatch(/macvlan|vlan id/);
  });

  test('shapes what goes out on the link, and what comes in on one behind it, limited before it is sent there', () => {
    const lines = script(anAsk({ annotations: SHAPED }));
    expect(lines.slice(lines.indexOf('link add name gala-in type ifb'))).toEqual([
      'link add name gala-in type ifb',
      'link set dev gala-in up',
      '# pod tc',
      'qdisc replace dev eth0 root handle 1: tbf rate 10000000bit burst 32768 latency 50ms',
      'qdisc replace dev gala-in root handle 1: tbf rate 1000000000bit burst 1250000 latency 50ms',
      'qdisc replace dev eth0 handle ffff: ingress',
      'filter replace dev eth0 parent ffff: handle 800::1 protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev gala-in',
    ]);
  });

  test('with a prefix for IPv6 gives the address with the IPv4 in it, by the router that has its own so', () => {
    const lines = script(anAsk({ options: { ipv6Prefix: 'fd00:110::/96' }, ask: { nodeIPv6: 'fd00:8::b' } }));
    expect(lines).toContain('net.ipv6.conf.default.ndisc_notify=1');
    expect(lines).toContain('addr replace fd00:110::10.110.0.130/120 dev eth0 nodad');
    expect(lines).toContain('route replace ::/0 via fd00:110::10.110.0.1 dev eth0');
    expect(lines).toContain('route replace fd00:8::b/128 dev gala-node src fd00:110::10.110.0.130');
    expect(script(anEniAsk({ options: { ipv6Prefix: 'fd00:110::/96' } })).at(-1)).toBe('route replace unreachable fd00:ec2::254/128');
  });

  test('has the static routes of the definition, and what is reached through the node', () => {
    const routes = [{ to: '10.0.0.0/8' }, { to: '172.16.0.0/12', via: '10.111.0.9' }];
    const lines = script(anAsk({ options: { mtu: 9000, routes, throughNode: ['10.96.0.0/12', '169.254.20.10/32'] } }));
    expect(lines).toContain('route replace 10.0.0.0/8 via 10.110.0.1 dev eth0');
    expect(lines).toContain('route replace 172.16.0.0/12 via 10.111.0.9 dev eth0 onlink');
    expect(lines).toContain('route replace 10.96.0.0/12 via 10.8.1.11 dev gala-node onlink src 10.110.0.130');
    expect(lines).toContain('route replace 169.254.20.10/32 via 10.8.1.11 dev gala-node onlink src 10.110.0.130');
    expect(lines.filter((line) => line.endsWith('mtu 9000'))).toHaveLength(3);
  });

  test('makes nothing that is there: a VLAN of other pods, and links of a try that was not noted', () => {
    const first = planned(anAsk({ annotations: SHAPED })).steps;
    const host = first.flatMap((step) => (step.do === 'veth' ? [aLink(step.host)] : []));
    const links = {
      host: [aLink('bond0'), aLink('bond0.110'), ...host],
      pod: [aLink('eth0', { mac: '02:67:0a:6e:00:82' }), aLink('gala-node'), aLink('gala-in')],
    };
    expect(script(anAsk({ annotations: SHAPED, ask: { links } })).filter((line) => line.startsWith('link add'))).toEqual([]);
    const moved = { host, pod: [aLink('eth0', { mac: ENI_MAC })] };
    expect(script(anEniAsk({ ask: { links: moved } })).filter((line) => / netns /.test(line))).toEqual([]);
  });

  test('is the same for the same pod, and its links have other names for another', () => {
    const veth = (containerId: string) =>
      planned(anAsk({ ask: { sandbox: { containerId, ifname: 'eth0', netns: '/n' } } })).steps.find((step) => step.do === 'veth');
    expect(veth('a')).toEqual(veth('a'));
    expect(veth('a')).not.toEqual(veth('b'));
  });
});

describe('a pod is not wired', () => {
  const cases: readonly [string, keyof typeof CODES, Ask, RegExp][] = [
    ['without a lock', 'NoLock', anAsk({ ask: { lock: undefined } }), /scheduling gate gala.internal\/lock/],
    ["with another pod's lock", 'NotYours', anAsk({ lock: { podUID: 'another' } }), /UID another/],
    ['with the lock of a pod to come', 'NotYours', anAsk({ lock: { podUID: undefined } }), /\(none\)/],
    ['with a lock on another node', 'ForeignNode', anAsk({ lock: { node: 'h-r13-02' } }), /on node h-r13-02; this is h-r12-01/],
    ['with an address that somebody else answers for', 'Quarantined', anAsk({ lock: { phase: 'Quarantined' } }), /gala who 10.110.0.130/],
    ['with an address outside the ranges', 'OutsideVlans', anAsk({ ip: '10.110.0.9' }), /110: 10.110.0.128-10.110.0.191, 130: 10/],
    ['with an address of no VLAN', 'OutsideVlans', anAsk({ ip: '192.0.2.1' }), /none of the VLANs of pool web/],
    ['where its VLAN is not trunked', 'NotTrunked', anAsk({ ip: '10.130.0.70' }), /VLAN 130, trunked to r13; node h-r12-01 stands in r12/],
    ['on a host of no rack', 'NotTrunked', anAsk({ lock: { node: 'x' }, ask: { node: 'x' } }), /stands in no rack/],
    ['without its trunk', 'NoLink', anAsk({ ask: { links: { host: [aLink('eno1')], pod: [] } } }), /no link bond0.*It has eno1/],
    [
      'where the trunk is unplugged',
      'Unplugged',
      anAsk({ ask: { links: { host: [aLink('bond0', { carrier: false })], pod: [] } } }),
      /no carrier/,
    ],
    ['without its ENI', 'NoEni', anEniAsk({ ip: '10.16.4.99' }), /10.16.4.21 06:3f:aa:00:00:01/],
    ['with an ENI of another MAC', 'NoEni', anEniAsk({ lock: { mac: '06:3f:aa:00:00:02' } }), /06:3f:aa:00:00:02/],
    ['with an ENI that has not appeared', 'NoLink', anEniAsk({ ask: { links: { host: [aLink('ens5')], pod: [] } } }), /06:3f:aa:00:00:01/],
    ['before the network of its subnet is known', 'NoSubnet', anEniAsk({ ask: { subnets: {} } }), /subnet-0d1/],
    ['with a bandwidth that is none', 'BadBandwidth', anAsk({ annotations: { 'kubernetes.io/egress-bandwidth': 'fast' } }), /is 'fast'/],
    ['with too small a bandwidth', 'BadBandwidth', anAsk({ annotations: { 'kubernetes.io/ingress-bandwidth': '10' } }), /1k to 1P/],
    [
      'on an interface that is there',
      'InterfaceTaken',
      anAsk({ ask: { links: { host: [aLink('bond0')], pod: [aLink('eth0')] } } }),
      /52:54:00:00:00:01/,
    ],
    [
      'under the name of a link of ours',
      'BadEnvironment',
      anAsk({ ask: { sandbox: { containerId: 'a', ifname: 'gala-node', netns: '/n' } } }),
      /CNI_IFNAME/,
    ],
    [
      'in a namespace whose path has a blank',
      'BadEnvironment',
      anAsk({ ask: { sandbox: { containerId: 'a', ifname: 'eth0', netns: '/a b' } } }),
      /CNI_NETNS/,
    ],
  ];
  test.each(cases)('%s', (_, reason, ask, why) => {
    expect(refused(ask)).toMatchObject({
      refused: reason,
      code: CODES[reason],
      msg: expect.any(String),
      details: expect.stringMatching(why),
    });
  });

  test('and the page has each code with its message', () => {
    const page = pages().find(({ path }) => path === 'docs/wiring.md')!.text;
    const rows = [...page.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)].map(([, code, msg]) => [Number(code), msg]);
    expect(rows).toEqual(Object.keys(CODES).map((reason) => [CODES[reason as keyof typeof CODES], MESSAGES[reason as keyof typeof CODES]]));
  });

  test('and each reason has a code of its own', () => expect(new Set(Object.values(CODES)).size).toBe(Object.keys(CODES).length));
});

/** Any pod that can be wired, on a VLAN or on an ENI, on a host that had pods of the VLAN or not. */
const options: fc.Arbitrary<Options> = fc.record(
  {
    mtu: fc.integer({ min: 1280, max: 9216 }),
    routes: fc.uniqueArray(fc.record({ to: fc.constantFrom('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') }), {
      selector: ({ to }) => to,
    }),
    throughNode: fc.uniqueArray(fc.constantFrom('10.96.0.0/12', '169.254.20.10/32')),
    ipv6Prefix: fc.constant('fd00:110::/96'),
  },
  { requiredKeys: [] },
);
const rate = fc.integer({ min: 1, max: 1_000_000 }).map((megabits) => `${megabits}M`);
const annotations = fc
  .record({ 'kubernetes.io/egress-bandwidth': rate, 'kubernetes.io/ingress-bandwidth': rate }, { requiredKeys: [] })
  .map((all) => all as Record<string, string>);
const asks = fc
  .record({
    options,
    annotations,
    isEc2: fc.boolean(),
    hasVlan: fc.boolean(),
    nodeIPv6: fc.option(fc.constant('fd00:8::b'), { nil: undefined }),
  })
  .map(({ options, annotations, isEc2, hasVlan, nodeIPv6 }) => {
    const ask = (isEc2 ? anEniAsk : anAsk)({ options, annotations, ask: { nodeIPv6 } });
    const host = hasVlan && !isEc2 ? [...ask.links.host, aLink('bond0.110')] : ask.links.host;
    return { ...ask, links: { ...ask.links, host } };
  });
const kernelOf = ({ links }: Ask) => new Kernel({ host: links.host.map(({ name }) => name), pod: links.pod.map(({ name }) => name) });
const state = ({ has }: Kernel) => ({ host: [...has.host].sort(), pod: [...has.pod].sort() });

describe('whatever the pod', () => {
  test('taking back any first part of its plan leaves what was there before, and a VLAN for others', () =>
    fc.assert(
      fc.property(asks, fc.nat(), (ask, nat) => {
        const { steps } = planned(ask);
        const done = steps.slice(0, nat % (steps.length + 1));
        const kernel = kernelOf(ask);
        const before = state(kernel);
        kernel.run(done.flatMap(linesOf));
        kernel.run(undone(done));
        const vlan = done.flatMap((step) => (step.do === 'vlan' ? [`link ${step.link}`] : []));
        expect(state(kernel)).toEqual({ host: [...before.host, ...vlan].sort(), pod: before.pod });
      }),
    ));

  test('its plan takes one batch for each tool in each namespace', () =>
    fc.assert(
      fc.property(asks, (ask) => {
        const all = batches(planned(ask).steps.flatMap(linesOf)).map(({ where, tool }) => `${where} ${tool}`);
        expect(all).toEqual(['pod sysctl', 'host ip', 'pod ip', 'pod tc'].slice(0, all.length));
      }),
    ));

  test('a plan that was done in part is done by the next one, with nothing made twice', () =>
    fc.assert(
      fc.property(asks, fc.nat(), (ask, nat) => {
        const { steps, place } = planned(ask);
        const whole = kernelOf(ask);
        whole.run(steps.flatMap(linesOf));
        const kernel = kernelOf(ask);
        kernel.run(steps.slice(0, nat % (steps.length + 1)).flatMap(linesOf));
        const links = (where: 'host' | 'pod') =>
          [...kernel.has[where]]
            .filter((one) => one.startsWith('link '))
            .map((one) => one.slice(5))
            .map((name) => aLink(name, name === 'eth0' || name === 'ens6' ? { mac: place.mac } : {}));
        kernel.run(planned({ ...ask, links: { host: links('host'), pod: links('pod') } }).steps.flatMap(linesOf));
        expect(state(kernel)).toEqual(state(whole));
      }),
    ));

  test('each word of its lines stands for itself, or the pod is refused', () =>
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 15 }),
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.constantFrom('eth0', 'a#b', 'a b', '"', "'", '\\', '-h', 'eth%d', 'a;b', '$(x)', 'é'),
        (containerId, path, known) => {
          for (const [ifname, netns] of [
            [known, '/n'],
            [path.slice(0, 15), '/n'],
            ['eth0', path],
            ['eth0', `/${path}`],
          ] as const) {
            const made = plan(anAsk({ ask: { sandbox: { containerId, ifname, netns } } }));
            if (isRefusal(made)) expect(made.code).toBe(4);
            else for (const { line } of made.steps.flatMap(linesOf)) expect(line.split(' ').every(isWord)).toBe(true);
          }
        },
      ),
    ));
});
