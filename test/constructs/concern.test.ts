import { describe, expect, test } from '@jest/globals';
import { ConfigMap } from 'cdk8s-plus-27';
import fc from 'fast-check';
import { checkDefinitions } from '../../constructs/check.ts';
import { type ConcernProps, defineConcern, inOrder } from '../../constructs/concern.ts';
import { rendered } from '../../constructs/testing.ts';
import { integer, oneOf } from '../../lib/api/field.ts';
import { aDefinition } from '../api/a-definition.ts';

const aConcern = (name: string, props: Partial<ConcernProps> = {}) => defineConcern({ name, render: () => {}, ...props });
const problemsOf = (definition: object, ...concerns: ReturnType<typeof aConcern>[]) =>
  checkDefinitions([{ file: 'one.ts', definition }], concerns).problems.map(({ path, what }) => `${path}: ${what}`);

describe('concerns are refused, all problems at once, where', () => {
  test('one is asked for that is not there', () =>
    expect(problemsOf(aDefinition({ concerns: ['ddso'] }), aConcern('ddos'))).toEqual(['concerns[0]: concern is ddso']));

  test('a required one is left out', () =>
    expect(problemsOf(aDefinition({ concerns: ['b'] }), aConcern('a'), aConcern('b', { requires: ['a'] }))).toEqual([
      'concerns: b requires a, which is not installed',
    ]));

  test('two that conflict are installed', () =>
    expect(problemsOf(aDefinition(), aConcern('a'), aConcern('b', { conflicts: ['a'] }))).toEqual(['concerns: b conflicts with a']));

  test('they require each other in a circle, which is named', () =>
    expect(
      problemsOf(aDefinition(), aConcern('a', { requires: ['c'] }), aConcern('b', { requires: ['a'] }), aConcern('c', { requires: ['b'] })),
    ).toEqual(['concerns: concerns require each other: a → c → b → a']));

  test('options are of the wrong type, unknown or missing', () => {
    const ddos = aConcern('ddos', {
      options: { mode: oneOf(['observe', 'drop'], { doc: 'Mode.' }), queue: integer({ doc: 'Queue.', min: 1, max: 8, default: 4 }) },
    });
    expect(problemsOf(aDefinition({ ddos: { mode: 'dorp', queue: 9, qeue: 1 } }), ddos)).toEqual([
      "ddos.mode: mode is 'dorp'",
      'ddos.queue: queue is 9',
      'ddos.qeue: qeue is no known key',
    ]);
    expect(problemsOf(aDefinition(), ddos)).toEqual(['ddos.mode: mode is missing']);
  });

  test('its own check says so', () =>
    expect(
      problemsOf(aDefinition(), aConcern('ddos', { check: (_, cluster, problem) => problem('mode', `${cluster.name} is too small`) })),
    ).toEqual(['ddos.mode: one is too small']));

  test('its own check throws', () => {
    const check = () => {
      throw new Error('no inventory');
    };
    expect(problemsOf(aDefinition(), aConcern('ddos', { check }))).toEqual(['ddos: the check of ddos throws: Error: no inventory']);
  });

  test('options are given to one that is not installed, as a warning', () => {
    const { problems } = checkDefinitions(
      [{ file: 'one.ts', definition: aDefinition({ concerns: [], existing: {}, ddos: { mode: 'drop' } }) }],
      [aConcern('ddos', { options: { mode: oneOf(['observe', 'drop'], { doc: 'Mode.' }) } })],
    );
    expect(problems).toMatchObject([{ path: 'ddos', severity: 'warning' }]);
  });
});

test('a concern whose name could be no file name is refused when it is defined', () =>
  expect(() => aConcern('DDoS!')).toThrow("name is 'DDoS!'"));

test('each concern comes after all it requires, however they were listed', () => {
  const graph = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 }).chain((names) =>
    fc
      .tuple(
        fc.shuffledSubarray(names, { minLength: names.length }),
        fc.array(fc.nat(255), { minLength: names.length, maxLength: names.length }),
      )
      .map(([listed, bits]) => ({
        listed,
        // Requires only what comes before it in the alphabet: no circles.
        concerns: listed.map((name, i) =>
          aConcern(name, { requires: names.filter((other, bit) => other < name && ((bits[i] ?? 0) >> bit) & 1) }),
        ),
      })),
  );
  fc.assert(
    fc.property(graph, ({ concerns, listed }) => {
      const order = inOrder(concerns);
      expect(order.map(({ name }) => name).sort()).toEqual([...listed].sort());
      order.forEach(({ requires }, i) => {
        for (const needed of requires) expect(order.findIndex(({ name }) => name === needed)).toBeLessThan(i);
      });
    }),
  );
});

test("a concern that Gala doesn't have is applied last, and may use constructs that know nothing of Gala", () => {
  const own = aConcern('own', {
    render: (scope) => void new ConfigMap(scope, 'config', { metadata: { name: 'own', namespace: 'gala-system' }, data: { a: 'b' } }),
  });
  const out = rendered(aDefinition({ concerns: ['scheduling', 'own'] }), { concerns: [own] });
  expect(out.files.map(({ path }) => path).filter((path) => path.endsWith('.yaml'))).toEqual([
    '10-crds.yaml',
    '20-rbac.yaml',
    '30-pools.yaml',
    '50-scheduling.yaml',
    '90-own.yaml',
  ]);
  expect(out.object('ConfigMap/gala-system/own')?.metadata.annotations).toEqual({ 'argocd.argoproj.io/sync-wave': '90' });
});
