/**
 * Plans on this machine's kernel, by the real ip and tc, in two namespaces that play host and pod. A veth plays the VLAN's
 * sub-interface: not every kernel that tests run on has 802.1Q.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { IFB, reshaped } from '../../../lib/network/wiring/bandwidth.ts';
import { deviations, type Seen } from '../../../lib/network/wiring/check.ts';
import { type Ask, type Link, VETH } from '../../../lib/network/wiring/plan.ts';
import { batches, type Line, linesOf, type Step, undone, type Where } from '../../../lib/network/wiring/step.ts';
import { unplan } from '../../../lib/network/wiring/unplan.ts';
import { required } from '../../bed/parts.ts';
import { anAsk, anEniAsk, ENI_MAC, planned } from './an-ask.ts';

const NAMES: Record<Where, string> = { host: `gala-h${process.pid}`, pod: `gala-p${process.pid}` };
const path = (where: Where) => `/var/run/netns/${NAMES[where]}`;
const SANDBOX = { containerId: 'f2a4c0e1', ifname: 'eth0', netns: path('pod') };
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
/** Root may lack CAP_NET_ADMIN, as in most containers. */
const canMakeNamespaces =
  process.getuid?.() === 0 && spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'name', 'gala-in', 'type', 'ifb']).status === 0;
const suite = canMakeNamespaces || required() ? describe : describe.skip;
if (suite === describe.skip) process.stderr.write('SKIPPED plans on a real kernel: network namespaces need root with CAP_NET_ADMIN\n');

/** Of procps not every machine has a sysctl. */
const SYSCTL = 'while IFS== read -r key value; do echo "$value" > "/proc/sys/$(echo "$key" | tr . /)" || exit 1; done';
const run = (lines: readonly Line[]): void => {
  for (const { where, tool, lines: some } of batches(lines)) {
    // The namespace that plays the host is not that of process 1.
    const input = `${some.join('\n')}\n`.replaceAll('/proc/1/ns/net', path('host'));
    const command = tool === 'sysctl' ? ['sh', '-c', SYSCTL] : [tool, '-batch', '-'];
    const ended = spawnSync('ip', ['netns', 'exec', NAMES[where], ...command], { input, encoding: 'utf8' });
    if (ended.status !== 0) throw new Error(`${where} ${command.join(' ')}: ${ended.stderr}\n${input}`);
  }
};
const json = (where: Where, ...args: string[]) => JSON.parse(ip('-n', NAMES[where], '-j', ...args) || '[]');
const links = (where: Where): Link[] =>
  json(where, 'link').map((one: { ifname: string; address: string }) => ({ name: one.ifname, mac: one.address, carrier: true }));
/** Each command's words, in one go: a process is what takes time here. */
const inside = (where: Where, ...commands: string[]): string[] =>
  execFileSync('ip', ['netns', 'exec', NAMES[where], 'sh', '-c', commands.map((one) => `${one}; echo ===`).join('\n')], {
    encoding: 'utf8',
  }).split('===\n');
function seen(where: Where): Seen {
  const all = inside(where, 'ip -j addr', 'ip -j route', 'ip -j -6 route', 'ip -j neigh', 'tc -j qdisc');
  const [links, routes, routes6, neighbours, qdiscs] = all.map((text) => JSON.parse(text.trim() || '[]'));
  return { links, routes: [...routes, ...routes6], neighbours, qdiscs };
}
function everything(where: Where): string[] {
  const [links, qdiscs, ...rest] = inside(where, 'ip -o link', 'tc qdisc', 'ip route', 'ip -6 route', 'ip neigh').map((text) =>
    text.split('\n'),
  );
  const names = links!.map((line) => line.split(' ')[1] ?? '');
  return [...names, ...qdiscs!.filter((line) => /tbf|ingress/.test(line)), ...rest.flat().filter((line) => !/^$|^fe80:/.test(line))];
}

/** As the host and the pod are now. */
const now = (ask: Ask): Ask => ({ ...ask, sandbox: SANDBOX, links: { host: links('host'), pod: links('pod') } });
const done = (steps: readonly Step[]) => run(steps.flatMap(linesOf));
const annotations = { 'kubernetes.io/egress-bandwidth': '10M', 'kubernetes.io/ingress-bandwidth': '20M' };
const options = {
  mtu: 1400,
  routes: [{ to: '172.16.0.0/12', via: '192.0.2.9' }],
  throughNode: ['10.96.0.0/12'],
  ipv6Prefix: 'fd00:110::/96',
};

suite('on a real kernel', () => {
  beforeAll(() => {
    for (const name of Object.values(NAMES)) ip('netns', 'add', name);
    ip('-n', NAMES.host, 'link', 'add', 'bond0', 'type', 'veth', 'peer', 'name', 'bond0.110');
    ip('-n', NAMES.host, 'link', 'add', 'ens6', 'address', ENI_MAC, 'type', 'veth', 'peer', 'name', 'wire');
    ip('-n', NAMES.host, 'addr', 'add', '10.8.1.11/24', 'dev', 'bond0');
    for (const link of ['lo', 'bond0', 'bond0.110', 'wire']) ip('-n', NAMES.host, 'link', 'set', link, 'up');
  });
  afterAll(() => {
    for (const name of Object.values(NAMES)) ip('netns', 'del', name);
  });
  let before: Record<Where, string[]>;
  beforeEach(() => {
    before = { host: everything('host'), pod: everything('pod') };
  });
  const isAsBefore = () => expect({ host: everything('host'), pod: everything('pod') }).toEqual(before);

  test.each([
    ['a MacVlan', anAsk],
    ['an ENI', anEniAsk],
  ])('a pod on %s gets address, MAC, routes, veth and limits, and nothing is left when it is taken back', (_, anyAsk) => {
    const { steps, place } = planned(now(anyAsk({ annotations, options })));
    done(steps);
    const [eth0] = json('pod', 'addr', 'show', 'dev', 'eth0');
    expect(eth0).toMatchObject({ address: place.mac, mtu: 1400 });
    expect(eth0.addr_info).toContainEqual(expect.objectContaining({ local: place.ip, prefixlen: 24 }));
    expect(eth0.addr_info).toContainEqual(expect.objectContaining({ family: 'inet6', prefixlen: 120 }));
    const routes = json('pod', 'route');
    expect(routes).toContainEqual(expect.objectContaining({ dst: 'default', gateway: place.gateway, dev: 'eth0' }));
    expect(routes).toContainEqual(expect.objectContaining({ dst: '10.96.0.0/12', gateway: '10.8.1.11', dev: VETH }));
    expect(json('host', 'route')).toContainEqual(expect.objectContaining({ dst: place.ip, prefsrc: '10.8.1.11' }));
    const qdiscs = execFileSync('ip', ['netns', 'exec', NAMES.pod, 'tc', 'qdisc'], { encoding: 'utf8' });
    expect(qdiscs).toMatch(/tbf 1: dev eth0 root .*rate 10Mbit/);
    expect(qdiscs).toMatch(new RegExp(`tbf 1: dev ${IFB} root .*rate 20Mbit`));
    run(undone(steps));
    isAsBefore();
  });

  test('the node reaches the pod and the pod the node, over the veth and without ARP', () => {
    const { steps, place } = planned(now(anAsk()));
    done(steps);
    const ping = (where: Where, to: string) => spawnSync('ip', ['netns', 'exec', NAMES[where], ...reach(to)], { encoding: 'utf8' });
    expect(ping('host', place.ip)).toMatchObject({ status: 0 });
    expect(ping('pod', '10.8.1.11')).toMatchObject({ status: 0 });
    run(undone(steps));
    isAsBefore();
  });

  test('who is on the VLAN learns the MAC of the address as its link goes up, before anybody asks', async () => {
    // The other end of the link that plays the VLAN: it believes what it was not asked for (ip-sysctl, arp_accept).
    run([{ where: 'host', tool: 'sysctl', line: 'net.ipv4.conf.bond0.arp_accept=1' }]);
    const { steps, place } = planned(now(anAsk()));
    done(steps);
    const learnt = () => json('host', 'neigh', 'show', 'dev', 'bond0').find(({ dst }: { dst: string }) => dst === place.ip)?.lladdr;
    for (let tries = 0; tries < 50 && learnt() === undefined; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(learnt()).toBe(place.mac);
    run(undone(steps));
    run([{ where: 'host', tool: 'sysctl', line: 'net.ipv4.conf.bond0.arp_accept=0' }]);
    ip('-n', NAMES.host, 'neigh', 'del', place.ip, 'dev', 'bond0');
    isAsBefore();
  });

  test('a plan runs twice, and any part of it is taken back', () => {
    const ask = anAsk({ annotations, options });
    const { steps } = planned(now(ask));
    for (let count = 0; count <= steps.length; count += 5) {
      done(steps.slice(0, count));
      run(undone(steps.slice(0, count)));
      isAsBefore();
    }
    done(steps);
    done(planned(now(ask)).steps);
    run(undone(steps));
    isAsBefore();
  });

  test.each([
    ['a MacVlan', anAsk],
    ['an ENI', anEniAsk],
  ])('a pod on %s is as it was planned, and what is tampered with is found', (_, anyAsk) => {
    const { steps, place } = planned(now(anyAsk({ annotations, options })));
    const all = () => deviations(steps, { host: seen('host'), pod: seen('pod') });
    done(steps);
    expect(all()).toEqual([]);
    const veth = steps.flatMap((step) => (step.do === 'veth' ? [step.host] : []))[0]!;
    const tampered: readonly [Where, readonly string[], RegExp][] = [
      ['pod', ['ip', 'route', 'del', 'default'], /^pod: there is no route to 0.0.0.0\/0 via/],
      ['pod', ['ip', '-6', 'route', 'del', 'default'], /^pod: there is no route to ::\/0 via/],
      ['pod', ['ip', 'neigh', 'del', '10.8.1.11', 'dev', VETH], /^pod: gala-node has no neighbour 10.8.1.11/],
      [
        'pod',
        ['tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'handle', '1:', ...'tbf rate 1gbit burst 1mb latency 25ms'.split(' ')],
        /limit of 1000000000 bit/,
      ],
      ['pod', ['tc', 'qdisc', 'del', 'dev', 'eth0', 'ingress'], /^pod: what comes in on eth0 is not limited/],
      ['pod', ['ip', 'link', 'set', 'dev', VETH, 'mtu', '1300'], /^pod: gala-node has MTU 1300, not 1400/],
      ['pod', ['ip', 'addr', 'del', `${place.ip}/24`, 'dev', 'eth0'], /^pod: eth0 has no address/],
      ['pod', ['ip', 'link', 'set', 'dev', 'eth0', 'down'], /^pod: eth0 is down/],
      ['host', ['ip', 'link', 'del', 'dev', veth], /^host: there is no link gala/],
    ];
    for (const [where, command, found] of tampered) {
      execFileSync('ip', ['netns', 'exec', NAMES[where], ...command], { stdio: 'pipe' });
      expect(all()).toContainEqual(expect.stringMatching(found));
    }
    // And the same plan, made anew, puts it all right.
    done(planned(now(anyAsk({ annotations, options }))).steps);
    expect(all()).toEqual([]);
    run(undone(steps));
    isAsBefore();
  });

  test('limits change and go while the pod runs', () => {
    const { steps } = planned(now(anAsk({ annotations })));
    done(steps);
    const tc = () => execFileSync('ip', ['netns', 'exec', NAMES.pod, 'tc', 'qdisc'], { encoding: 'utf8' });
    run(reshaped('eth0', { egress: 10e6, ingress: 20e6 }, { egress: 30e6, ingress: 20e6 }));
    expect(tc()).toMatch(/tbf 1: dev eth0 root .*rate 30Mbit/);
    run(reshaped('eth0', { egress: 30e6, ingress: 20e6 }, { egress: 30e6 }));
    expect(tc()).not.toMatch(/ingress|gala-in/);
    run(reshaped('eth0', { egress: 30e6 }, { egress: 10e6, ingress: 20e6 }));
    run(undone(steps));
    isAsBefore();
  });

  test('DEL without a journal leaves nothing on the host, and the ENI is back', () => {
    for (const [ask, eni] of [
      [anAsk({ annotations }), undefined] as const,
      [anEniAsk({ annotations }), { mac: ENI_MAC, device: 'ens6' }] as const,
    ]) {
      done(planned(now(ask)).steps);
      run(unplan(SANDBOX, { links: { host: links('host'), pod: links('pod') }, ...(eni === undefined ? {} : { eni }) }));
      expect(everything('host')).toEqual(before.host);
      expect(unplan(SANDBOX, { links: { host: links('host'), pod: links('pod') } })).toEqual([]);
      // The rest goes with the namespace.
      ip('netns', 'del', NAMES.pod);
      ip('netns', 'add', NAMES.pod);
    }
  });
});

/** A UDP packet to a closed port is refused by who has the address: no ping is needed on the machine. */
const reach = (to: string): string[] => [
  process.execPath,
  '-e',
  `const s = require('dgram').createSocket('udp4'); s.on('error', (e) => process.exit(e.code === 'ECONNREFUSED' ? 0 : 1));
   s.connect(9, '${to}', () => s.send('x')); setTimeout(() => process.exit(2), 3000);`,
];
