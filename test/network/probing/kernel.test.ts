/** gala-probe on this machine's kernel: who answers, who is not heard, and what is refused. docs/probes.md says the same in prose. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Finding } from '../../../lib/network/probing/finding.ts';
import { learnt, type Memory, next } from '../../../lib/network/probing/next.ts';
import { probe } from '../../../lib/network/probing/probe.ts';
import { suspectIn } from '../../../lib/network/probing/suspect.ts';
import { type Arp, arp, type Neighbour, NOBODY, neighbour, STRANGER } from './a-frame.ts';
import { aLock, seenWith } from './a-probe.ts';
import { aWire, compiled, describeWire, GATEWAY, LINK, type Programs, type Wire } from './a-wire.ts';

let programs: Programs;
let wire: Wire;

beforeAll(() => {
  programs = compiled();
}, 60_000);
afterAll(() => programs.remove());

/** Long enough on a busy machine. */
const WAIT = '400';
const ask = (...questions: string[]) => {
  const { status, stdout, stderr } = wire.probe(LINK, WAIT, ...questions);
  return { status, stderr, ...(status === 0 ? JSON.parse(stdout) : {}) };
};
const heard = (over: object) => ({ status: 0, stderr: '', answered: [], probing: [], silent: [], ...over });

describeWire('on a real wire', () => {
  beforeAll(() => {
    wire = aWire(programs);
  });
  afterAll(() => wire.remove());
  afterEach(() => wire.endStrangers());
  const gateway = () => wire.macOf('wire', 'wire');

  test('who has an address is named by MAC, and an address that nobody has is silent', () => {
    wire.ip('wire', 'addr', 'add', '10.110.0.130/24', 'dev', 'wire');
    expect(ask('free:10.110.0.130', `answers:${GATEWAY}`, 'free:10.110.0.132')).toEqual(
      heard({
        answered: [
          { ip: '10.110.0.130', mac: gateway() },
          { ip: GATEWAY, mac: gateway() },
        ],
        silent: ['10.110.0.132'],
      }),
    );
    wire.ip('wire', 'addr', 'del', '10.110.0.130/24', 'dev', 'wire');
  });

  test('the same by neighbour discovery, in the words of the question', () => {
    expect(ask('free:fd00:110::10.110.0.132', `answers:fd00:110::${GATEWAY}`, 'free:fd00:110::a6e:83')).toEqual(
      heard({
        answered: [
          { ip: `fd00:110::${GATEWAY}`, mac: gateway() },
          { ip: 'fd00:110::a6e:83', mac: '02:67:0a:6e:00:83' },
        ],
        silent: ['fd00:110::10.110.0.132'],
      }),
    );
  });

  test('IPv6 is asked for where the host has switched it off on the link', () => {
    wire.command('host', 'sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${LINK}/disable_ipv6`);
    expect(ask(`answers:fd00:110::${GATEWAY}`).answered).toHaveLength(1);
    wire.command('host', 'sh', '-c', `echo 0 > /proc/sys/net/ipv6/conf/${LINK}/disable_ipv6`);
  });

  test('a pod of this host is heard, and can be left out by its MAC', () => {
    const own = { ip: '10.110.0.131', mac: '02:67:0a:6e:00:83' };
    expect(ask('free:10.110.0.131')).toEqual(heard({ answered: [own] }));
    expect(ask('free:10.110.0.131,not:02:67:0a:6e:00:83')).toEqual(heard({ silent: ['10.110.0.131'] }));
    expect(ask('free:10.110.0.131,not:02:67:0a:6e:00:84')).toEqual(heard({ answered: [own] }));
    expect(ask('free:10.110.0.131,only:02:67:0a:6e:00:83')).toEqual(heard({ answered: [own] }));
    expect(ask('free:10.110.0.131,only:02:67:0a:6e:00:84')).toEqual(heard({ silent: ['10.110.0.131'] }));
  });

  test('a gateway that is not there is silent', () => {
    expect(ask('answers:10.110.0.9', 'answers:fd00:110::9')).toEqual(heard({ silent: ['10.110.0.9', 'fd00:110::9'] }));
  });

  test('a gateway can be asked in the name of an address', () => {
    expect(ask(`answers:${GATEWAY},from:10.110.0.141`, `answers:fd00:110::${GATEWAY},from:fd00:110::10.110.0.141`).answered).toHaveLength(
      2,
    );
    const known = JSON.parse(wire.ip('wire', '-j', 'neigh', 'show', 'dev', 'wire'));
    expect(known).toContainEqual(expect.objectContaining({ dst: '10.110.0.141', lladdr: wire.macOf('host', LINK) }));
  });

  test('asked in nobody’s name, no neighbour learns anything, and the switch sees the MAC of the link alone', () => {
    wire.ip('wire', 'neigh', 'flush', 'dev', 'wire');
    ask('free:10.110.0.150', 'free:fd00:110::10.110.0.150', `answers:${GATEWAY}`);
    expect(wire.ip('wire', 'neigh', 'show', 'dev', 'wire')).not.toContain('10.110.0.150');
    const learnt = (
      JSON.parse(wire.command('wire', 'bridge', '-j', 'fdb', 'show', 'br', 'wire')) as { mac: string; state?: string; flags: string[] }[]
    )
      .filter(({ state }) => state !== 'permanent')
      .map(({ mac }) => mac);
    // The pod's own, from when it came up.
    expect(learnt.filter((mac) => !['02:67:0a:6e:00:83', wire.macOf('host', LINK)].includes(mac))).toEqual([]);
  });

  test('200 addresses are answered in one call, of which one is silent', () => {
    const some = Array.from({ length: 199 }, (_, i) => `10.110.1.${i + 1}`);
    const batch = (verb: string) =>
      spawnSync('ip', ['netns', 'exec', `gala-wire-${process.pid}`, 'ip', '-batch', '-'], {
        input: some.map((ip) => `addr ${verb} ${ip}/32 dev wire\n`).join(''),
        encoding: 'utf8',
      });
    expect(batch('add')).toMatchObject({ status: 0, stderr: '' });
    const said = ask(...some.map((ip) => `free:${ip}`), 'free:10.110.1.250');
    expect(said).toEqual(heard({ answered: some.map((ip) => ({ ip, mac: gateway() })), silent: ['10.110.1.250'] }));
    batch('del');
  });

  test('it ends before its time once all have answered', () => {
    expect(wire.probe(LINK, '30000', `answers:${GATEWAY}`, 'free:10.110.0.131')).toMatchObject({ status: 0 });
  });

  test('who only announces an address has it too, by ARP and by neighbour discovery', async () => {
    await wire.stranger(arp({ operation: 1, target: '10.110.0.140' }), neighbour());
    expect(ask('free:10.110.0.140', 'free:fd00:110::10.110.0.140').answered).toEqual([
      { ip: '10.110.0.140', mac: STRANGER },
      { ip: 'fd00:110::10.110.0.140', mac: STRANGER },
    ]);
  });

  test('who asks for the same address at the moment is told apart from who has it', async () => {
    await wire.stranger(
      arp({ operation: 1, sender: '0.0.0.0', target: '10.110.0.140' }),
      neighbour({ type: 135, source: NOBODY, options: '' }),
    );
    expect(ask('free:10.110.0.140', 'free:fd00:110::10.110.0.140', 'answers:10.110.0.9')).toEqual(
      heard({
        probing: [
          { ip: '10.110.0.140', mac: STRANGER },
          { ip: 'fd00:110::10.110.0.140', mac: STRANGER },
        ],
        silent: ['10.110.0.9'],
      }),
    );
  });

  test('its own frames, sent back by a loop, say nothing', async () => {
    const own = wire.macOf('host', LINK).replaceAll(':', '');
    await wire.stranger(arp({ operation: 1, sender: '0.0.0.0', target: '10.110.0.140', mac: own }));
    expect(ask('free:10.110.0.140')).toEqual(heard({ silent: ['10.110.0.140'] }));
  });

  const hostile: readonly [string, string][] = [
    ...([
      ['an ARP frame that ends early', arp().slice(0, -2)],
      ['an Ethernet header alone', arp().slice(0, 28)],
      ['an ARP frame of another VLAN', arp().replace(/0806/, '8100006f0806')],
    ] as [string, string][]),
    ...(
      [
        ['hardware that is no Ethernet', { hardware: 6 }],
        ['another protocol', { protocol: 0x86dd }],
        ['sizes that are wrong', { sizes: '0804' }],
        ['RARP', { operation: 3 }],
        ['no operation', { operation: 0 }],
        ['no MAC', { mac: '000000000000' }],
        ['no sender in an answer', { sender: '0.0.0.0', target: '10.110.0.140' }],
      ] as [string, Arp][]
    ).map(([what, over]): [string, string] => [`ARP with ${what}`, arp(over)]),
    ...(
      [
        ['a wrong checksum', { off: 1 }],
        ['a hop behind it', { hopLimit: 254 }],
        ['a code', { code: 1 }],
        ['an option without length', { options: '0200000000000000' }],
        ['an option that is longer than the rest', { options: '0202000000000000' }],
        ['a payload that ends early', { length: 20 }],
        ['a payload that is longer than the frame', { length: 200 }],
        ['another protocol', { next: 17 }],
        ['a group as its target', { target: `ff02${'0'.repeat(27)}1` }],
        ['another kind of message', { type: 134 }],
      ] as [string, Neighbour][]
    ).map(([what, over]): [string, string] => [`neighbour discovery with ${what}`, neighbour(over)]),
  ];
  test('frames that are not right say nothing, all at once', async () => {
    await wire.stranger(...hostile.map(([, frame]) => frame));
    expect(ask('free:10.110.0.140', 'free:fd00:110::10.110.0.140')).toEqual(heard({ silent: ['10.110.0.140', 'fd00:110::10.110.0.140'] }));
  });
  test.each(hostile)('%s is heard as nothing', (_, frame) => {
    expect(spawnSync(programs.stranger, ['-', frame], { encoding: 'utf8' }).stdout).toBe('nothing \n');
  });

  test('nothing is left behind, even where it is killed', async () => {
    const links = () => ['host', 'wire', 'pod'].map((where) => wire.ip(where as 'host', '-br', 'link'));
    const before = links();
    const [program, ...args] = wire.onHost;
    const child = spawn(program, [...args, programs.probe, LINK, '30000', 'free:10.110.0.150']);
    for (let tries = 0; tries < 500 && !listens(child.pid!); tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(links()).toEqual(before);
  });

  test('a link that is the port of a bridge is asked on all the same', () => {
    wire.ip('host', 'link', 'add', 'port', 'type', 'veth', 'peer', 'name', 'far', 'netns', `gala-wire-${process.pid}`);
    wire.ip('wire', 'link', 'set', 'far', 'master', 'wire', 'up');
    wire.ip('host', 'link', 'add', 'name', 'bridged', 'type', 'bridge');
    wire.ip('host', 'link', 'set', 'bridged', 'up');
    wire.ip('host', 'link', 'set', 'port', 'master', 'bridged', 'up');
    expect(wire.probe('port', WAIT, `answers:${GATEWAY}`, 'free:10.110.0.150')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(gateway()),
    });
    wire.ip('host', 'link', 'del', 'bridged');
    wire.ip('host', 'link', 'del', 'port');
  });

  describe('it could not be asked, exit code 1:', () => {
    beforeAll(() => {
      wire.ip('host', 'link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'end');
    });
    afterAll(() => void wire.ip('host', 'link', 'del', 'other'));
    const failed = (link: string) => {
      const { status, stdout, stderr } = wire.probe(link, WAIT, 'free:10.110.0.150');
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      return stderr;
    };

    test('a link that is missing', () => expect(failed('bond9.110')).toBe('gala-probe: there is no link bond9.110 here. See: ip link\n'));
    test('a link that is down', () => expect(failed('other')).toBe('gala-probe: other is down. To put it up: ip link set dev other up\n'));
    test('a link without a carrier', () => {
      wire.ip('host', 'link', 'set', 'other', 'up');
      expect(failed('other')).toMatch(/^gala-probe: other has no carrier\. Look at the cable/);
    });
    test('a link that is no Ethernet', () => expect(failed('lo')).toMatch(/^gala-probe: lo is no Ethernet link, but of type 772/));
    test('a link that goes while it is asked on, since silence would mean nothing then', async () => {
      wire.ip('host', 'link', 'set', 'end', 'up');
      const [program, ...args] = wire.onHost;
      const child = spawn(program, [...args, programs.probe, 'other', '2000', 'free:10.110.0.150']);
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      for (let tries = 0; tries < 500 && !listens(child.pid!); tries++) await new Promise((resolve) => setTimeout(resolve, 10));
      wire.ip('host', 'link', 'set', 'end', 'down');
      expect(await ended).toBe(1);
      expect(stderr).toMatch(/^gala-probe: .*other/);
    });
    test('a queue that does not take all frames in time', () => {
      const queue = `root tbf rate 1kbit burst 100b limit 1`.split(' ');
      wire.command('host', 'tc', 'qdisc', 'add', 'dev', LINK, ...queue);
      expect(failed(LINK)).toMatch(/^gala-probe: bond0\.110 took only [012] of 3 frames within 400 ms\. Ask again/);
      wire.command('host', 'tc', 'qdisc', 'del', 'dev', LINK, 'root');
    });
    test('a user who may not', () => {
      const { status, stderr } = spawnSync(programs.probe, ['lo', WAIT, 'free:10.110.0.150'], { uid: 65_534, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: 'gala-probe: a packet socket: Operation not permitted. It needs CAP_NET_RAW.\n',
      });
    });
  });

  describe('the shell', () => {
    const where = { trunk: 'bond0', vlan: 110, link: LINK, gateway: GATEWAY };
    const address = { ip: '10.110.0.131', mac: '02:67:0a:6e:00:83', holder: 'uid-1' };
    const options = () => ({ gala: [...wire.onHost, programs.probe] as const, ip: [...wire.onHost, 'ip'] as const, waitMs: 400 });

    test('answers what gala-probe heard', async () => {
      const free = { ...address, ip: '10.110.0.132' };
      expect(await probe({ ...where, addresses: [address, free] }, options())).toEqual({
        answered: [
          { ip: GATEWAY, mac: gateway() },
          { ip: '10.110.0.131', mac: '02:67:0a:6e:00:83' },
        ],
        probing: [],
        silent: ['10.110.0.132'],
      });
    });
    test('P11 hears a pod beside a machine that answers for every address, and knows that machine for one', async () => {
      const everybody = Array.from({ length: 253 }, (_, i) => arp({ sender: `10.110.0.${i + 2}` }));
      await wire.stranger(...everybody);
      const seen = seenWith([aLock({ ip: '10.110.0.131', mac: '02:67:0a:6e:00:99' }), aLock({ ip: '10.110.0.150' })]);
      const found = new Map<string, Finding>();
      let memory: Memory = new Map();
      // Whoever is faster, the pod or the machine: one of them is tried at a time.
      for (let nowMs = 0; found.size < 2 && nowMs < 10_000; nowMs += 1_000) {
        const [ask] = next(seen, memory, new Set(), nowMs).asks;
        if (ask === undefined) continue;
        const outcome = await probe(ask, options());
        const second = suspectIn(ask, outcome, seen, Math.random);
        const trial = second && { ask: second, outcome: await probe(second, options()) };
        const learned = learnt(ask, outcome, seen, memory, nowMs, Math.random, trial);
        memory = learned.memory;
        for (const finding of learned.findings) found.set(finding.ip, finding);
      }
      expect(found.get('10.110.0.131')).toMatchObject({ condition: { status: 'False' }, conflict: '02:67:0a:6e:00:83' });
      expect(found.get('10.110.0.150')).toMatchObject({
        ...{ condition: { status: 'Unknown', reason: 'AnsweredForAll' }, everybody: STRANGER },
      });
    });
    test('puts the link up first', async () => {
      wire.ip('host', 'link', 'set', LINK, 'down');
      expect(await probe({ ...where, addresses: [address] }, options())).toMatchObject({
        answered: [{ ip: GATEWAY }, { ip: '10.110.0.131' }],
      });
    });
    test('says what is amiss with a trunk that is not there', async () => {
      const said = await probe({ ...where, trunk: 'bond9', link: 'bond9.110', addresses: [address] }, options());
      expect(said).toEqual({
        failed: expect.stringMatching(/^bond9\.110, the sub-interface of VLAN 110 on trunk bond9, could not be made: .*bond9/),
      });
    });
    test('says so where the program is missing, or prints something else', async () => {
      const gala: [string] = [`${programs.folder}/nothing`];
      expect(await probe({ ...where, addresses: [address] }, { ...options(), gala })).toEqual({ failed: expect.stringMatching(/ENOENT/) });
      const echo = { ...options(), gala: ['echo'] as [string] };
      expect(await probe({ ...where, addresses: [address] }, echo)).toEqual({
        failed: expect.stringMatching(/^echo printed what it does not print: bond0/),
      });
    });
    test('ends one that hangs', async () => {
      const gala: [string, ...string[]] = ['sh', '-c', 'exec sleep 60'];
      const controller = new AbortController();
      const asked = probe({ ...where, addresses: [address] }, { ...options(), gala, signal: controller.signal });
      setTimeout(() => controller.abort(), 200);
      expect(await asked).toEqual({ failed: expect.stringMatching(/abort/i) });
    });
  });
});

describe('bad input ends with 2 and says what is allowed:', () => {
  const bad = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(programs.probe, args, { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    return stderr;
  };
  const QUESTION = 'free:10.110.0.130';

  test('too few words', () => expect(bad(LINK, WAIT)).toMatch(/usage: gala-probe <link> <waitMs> <question>…/));
  test('too many questions', () => {
    const many = Array.from({ length: 257 }, (_, i) => `free:10.110.${i >> 8}.${i & 255}`);
    expect(bad(LINK, WAIT, ...many)).toMatch(/257 questions; at most 256 are asked at once/);
  });
  test.each(['', 'a/b', 'a b', 'a-name-of-16-byt', 'x\u001b[2J'])('link %j', (link) =>
    expect(bad(link, WAIT, QUESTION)).toMatch(/link is '.*'; a link's name has 1 to 15 bytes/),
  );
  test.each(['', '0', '49', '30001', '1e3', '-5', '9'.repeat(40)])('waitMs %j', (ms) =>
    expect(bad(LINK, ms, QUESTION)).toMatch(/waitMs is '.*'; it is a whole number of milliseconds from 50 to 30000/),
  );
  test.each([
    ['10.110.0.130', /is no question\. One is free:<ip>/],
    ['taken:10.110.0.130', /is no question/],
    ['free:', /is no address that a host can have/],
    ['free:10.110.0', /is no address that a host can have/],
    ['free:10.110.0.1300', /is no address that a host can have/],
    ['free:0.0.0.0', /is no address that a host can have/],
    ['free:127.0.0.1', /is no address that a host can have/],
    ['free:224.0.0.1', /is no address that a host can have/],
    ['free:255.255.255.255', /is no address that a host can have/],
    ['free:::', /is no address that a host can have/],
    ['free:::1', /is no address that a host can have/],
    ['free:ff02::1', /is no address that a host can have/],
    ['free:fe80::1%eth0', /is no address that a host can have/],
    ['free:10.110.0.130,', /is no option of it/],
    ['free:10.110.0.130,from:10.110.0.1', /is no option of it/],
    ['answers:10.110.0.1,not:02:67:0a:6e:00:83', /is no option of it/],
    ['answers:10.110.0.1,only:02:67:0a:6e:00:83', /is no option of it/],
    ['free:10.110.0.130,only:02:67', /is no MAC address/],
    ['free:10.110.0.130,not:02:67', /is no MAC address\. Give six lower-case hex octets/],
    ['free:10.110.0.130,not:02:67:0A:6E:00:83', /is no MAC address/],
    ['free:10.110.0.130,not:02-67-0a-6e-00-83', /is no MAC address/],
    ['answers:10.110.0.1,from:fd00::1', /one address is IPv4, the other IPv6/],
    [`free:${'1'.repeat(200)}`, /has 205 bytes; a question has at most 128/],
    ['free:10.110.0.130\n', /control characters/],
  ])('question %j', (question, says) => expect(bad(LINK, WAIT, question)).toMatch(says));
  test('an address that is asked for twice, in whatever spelling', () =>
    expect(bad(LINK, WAIT, 'free:fd00::10.0.0.1', 'answers:fd00::a00:1')).toMatch(/fd00::a00:1 is asked for twice/));
});

/** It has its sockets: what it opens last is the one on its MacVlan, or it is about to. */
function listens(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).length > 4;
  } catch {
    return false;
  }
}
