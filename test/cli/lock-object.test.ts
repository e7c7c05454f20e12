import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type LockOptions, lockFrom, type Whose } from '../../lib/cli/lock-object.ts';

const FEED: Whose = {
  pods: { kind: 'Deployment', name: 'feed-api', template: { spec: { containers: [{ name: 'feed', image: 'r.example/feed:1' }] } } },
};
const BARE: Whose = { pods: { kind: '', template: FEED.pods.template } };

const lock = (count: string | number, options: Partial<LockOptions> = {}, whose = FEED) =>
  lockFrom(whose, String(count), 'feed', { strategy: 'spread', ...options });
const asked = (...args: Parameters<typeof lock>) => {
  const found = lock(...args);
  if ('problems' in found) throw new Error(found.problems.join('\n'));
  return found;
};

test('what nobody says has its default', () => {
  expect(asked(200)).toMatchObject({
    namespace: 'feed',
    spec: { count: 200, owner: 'feed-api', strategy: 'spread', ttlSeconds: 300, holdSeconds: 600, allowPartial: false },
  });
});

test('options become fields', () => {
  const options = { maxPer: ['rack=30%', 'node=2'], near: 'bj-a', owner: 'feed', ttl: '15m', hold: '0', allowPartial: true };
  expect(asked(200, options).spec).toMatchObject({
    maxPer: { rack: '30%', node: 2 },
    near: 'bj-a',
    owner: 'feed',
    ttlSeconds: 900,
    holdSeconds: 0,
    allowPartial: true,
  });
});

test('the same question has the same name, in whatever order a file writes it', () => {
  const [container] = FEED.pods.template.spec.containers as [Record<string, string>];
  const other: Whose = { pods: { ...FEED.pods, template: { spec: { containers: [{ image: container.image, name: container.name }] } } } };
  expect(asked(200, {}, other).name).toBe(asked(200).name);
  expect(asked(200).name).toMatch(/^feed-api-[0-9a-f]{8}$/);
});

test('another question has another name', () => {
  const names = [asked(200), asked(201), asked(200, { maxPer: ['rack=30%'] }), asked(200, { allowPartial: true })].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('a name of one’s own is taken as it is', () => {
  expect(asked(200, { name: 'feed-api-1188' })).toMatchObject({ name: 'feed-api-1188', named: 'by the caller' });
});

test('whatever owner the API server takes, the name made of it is a name', () => {
  const owner = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,80}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?)?$/);
  fc.assert(
    fc.property(
      owner,
      (owner) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(asked(1, { owner }).name) && asked(1, { owner }).name.length <= 63,
    ),
  );
});

test('everything wrong is told at once, in words of the command', () => {
  const wrong = lock(0, { maxPer: ['rak=3', 'rack=200%'], ttl: '1s', hold: 'long', owner: 'A_b', name: 'X_' });
  expect(wrong).toEqual({
    problems: [
      '--max-per rak=3: it is <place>=<cap>, where place is one of node, rack, zone, datacenter. For example rack=30%.',
      "--max-per rack=200%: the cap is '200%'; it is a number of slots, or 1% to 100%. For example rack=30%.",
      "--hold is 'long'; it is a duration. For example 5m, 90s or 1h30m.",
      '<count>: count is 0; count is 1 to 5000. For example 200.',
      expect.stringMatching(/^--owner: owner is 'A_b'; /),
      '--ttl: ttlSeconds is 1; ttlSeconds is 10 to 3600. For example 300.',
      expect.stringMatching(/^--name: the name is 'X_'; /),
    ],
  });
});

test.each(['many', '1e3', '2.5', ''])('%p is no count', (count) => {
  expect(lock(count)).toEqual({ problems: [expect.stringMatching(/^<count>: count is .*; count is 1 to 5000/)] });
});

test('a bare template needs to be told whose it is', () => {
  expect(lock(3, {}, BARE)).toEqual({ problems: [expect.stringMatching(/^--owner is missing: a bare pod template has no name\./)] });
  expect(asked(3, { owner: 'feed-api' }, BARE).spec.owner).toBe('feed-api');
});
