import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Area, Figure, Measured, Skipped } from './area.ts';
import { AREAS } from './areas.ts';
import { REPOSITORY } from './child.ts';
import { chosen } from './chosen.ts';
import { complete, linesAbout, MISTAKES, mistaken } from './mistakes.ts';
import { barText, exitCode, median, meets, rowsOf } from './row.ts';
import { areasTable, resultTable, table } from './table.ts';

/** An area of one figure. */
const anArea = (figure: Partial<Figure> = {}): Area => ({
  name: 'speed',
  doc: 'how fast it is',
  figures: { it: { what: 'a round', unit: 's', ...figure } },
  measure: async () => ({}),
});
const aRow = (figure: Partial<Figure>, measured: Measured | Skipped) => rowsOf(anArea(figure), { it: measured })[0]!;

describe('median', () => {
  test('of an odd number of runs it is the middle one, of an even number between the two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test('half of the runs are at or below it and half at or above, whatever their order', () =>
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const middle = median(values);
        expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length);
        expect(values.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      }),
    ));

  test('of no runs there is none', () => expect(() => median([])).toThrow(RangeError));
});

describe('a bar', () => {
  test('on a time is judged by the median: one slow run on a busy machine is no miss', () => {
    expect(meets([4.1, 9, 4.2], { must: '<', than: 5 })).toBe(true);
    expect(meets([5, 5, 1], { must: '<', than: 5 })).toBe(false);
    expect(meets([1.2], { must: '≤', than: 1.2 })).toBe(true);
    expect(meets([1.21], { must: '≤', than: 1.2 })).toBe(false);
    expect(meets([0.8], { must: '≥', than: 0.8 })).toBe(true);
    expect(meets([0.79], { must: '≥', than: 0.8 })).toBe(false);
    expect([8.9, 9, 10.5, 10.6].map((value) => meets([value], { from: 9, to: 10.5 }))).toEqual([false, true, true, false]);
    expect(barText({ from: 9, to: 10.5 })).toBe('9–10.5');
  });

  test('on a count is missed as soon as one run differs', () => {
    expect(meets([12, 12, 12], { must: '=', than: 12 })).toBe(true);
    expect(meets([12, 11, 12], { must: '=', than: 12 })).toBe(false);
  });

  test('that is missed ends the command with 1', () => {
    const missed = aRow({ bar: { must: '<', than: 5 } }, { runs: [7] });
    const met = aRow({ bar: { must: '<', than: 5 } }, { runs: [3] });
    expect(exitCode([met, missed], false)).toBe(1);
    expect(exitCode([met, aRow({}, { runs: [7] })], false)).toBe(0);
  });

  test('that could not be tried is no miss, unless the bed is required', () => {
    const skipped = aRow({ bar: { must: '=', than: 0 } }, { skipped: 'the bed lacks etcd' });
    expect(exitCode([skipped], false)).toBe(0);
    expect(exitCode([skipped], true)).toBe(1);
  });
});

describe('--json', () => {
  test('a row has the figure, its verdict, the runs, and the peer with the ratio', () => {
    const row = aRow({ bar: { must: '<', than: 5 }, peer: 'the bare one' }, { runs: [2, 3, 4], peer: [1, 2, 3] });
    expect(JSON.parse(JSON.stringify(row))).toEqual({
      area: 'speed',
      what: 'a round',
      value: 3,
      unit: 's',
      bar: '< 5',
      met: true,
      runs: [2, 3, 4],
      peer: { name: 'the bare one', value: 2, runs: [1, 2, 3] },
      ratio: 1.5,
    });
  });

  test('what has no bar has no verdict, and what was skipped says why', () => {
    expect(aRow({}, { runs: [1] })).toMatchObject({ bar: null, met: null });
    expect(aRow({ bar: { must: '=', than: 0 } }, { skipped: 'the bed lacks etcd' })).toMatchObject({
      value: null,
      bar: '= 0',
      met: null,
      skipped: 'the bed lacks etcd',
    });
  });

  test('a peer that measured nothing gives no ratio', () => {
    expect(aRow({ peer: 'the bare one' }, { runs: [1], peer: [0] })).not.toHaveProperty('ratio');
  });

  test('a figure that an area promised and did not measure is no empty row but a fault', () => {
    expect(() => rowsOf(anArea(), {})).toThrow("area speed did not measure 'it'");
  });
});

test('the table says median, spread, bar, verdict, peer and ratio, and shouts a miss', () => {
  const rows = [
    aRow({ bar: { must: '<', than: 5 }, peer: 'the bare one' }, { runs: [2.05, 1.981, 2.31], peer: [1.6, 1.6] }),
    aRow({ what: 'a count', unit: '', bar: { must: '=', than: 12 } }, { runs: [11] }),
    aRow({ what: 'a start', bar: { must: '<', than: 9 } }, { skipped: 'the bed lacks etcd' }),
    aRow({ what: 'watched', unit: 'MiB' }, { runs: [1234.5] }),
  ];
  expect(resultTable(rows)).toBe(
    [
      "| area  | what    | measured           | runs | bar   | verdict | peer         | peer's | ratio |",
      '|-------|---------|--------------------|------|-------|---------|--------------|--------|-------|',
      '| speed | a round | 2.05 s (1.98–2.31) | 3    | < 5 s | met     | the bare one | 1.60 s | 1.28  |',
      '| speed | a count | 11                 | 1    | = 12  | MISSED  | –            | –      | –     |',
      '| speed | a start | –                  | –    | < 9 s | skipped | –            | –      | –     |',
      '| speed | watched | 1235 MiB           | 1    | –     | –       | –            | –      | –     |',
    ].join('\n'),
  );
});

test('columns of a table stand under each other, whatever is in them', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-zµ×–]{0,9}$/), fc.stringMatching(/^[a-zµ×–]{0,9}$/))), (rows) => {
      const lines = table(['one', 'two'], rows).split('\n');
      expect(new Set(lines.map((line) => [...line].length)).size).toBe(1);
    }),
  ));

describe('choosing areas', () => {
  test('an unknown one is refused with the nearest name', () => {
    expect(() => chosen(['sinth'], AREAS)).toThrow("area is 'sinth'; known are synth, ");
    expect(() => chosen(['sinth'], AREAS)).toThrow("Did you mean 'synth'?");
  });

  test('no area is refused with those that there are', () => expect(() => chosen([], AREAS)).toThrow('Name one or more'));

  test('several are measured in the order they were named', () => {
    expect(chosen(['problems', 'synth'], AREAS).map(({ name }) => name)).toEqual(['problems', 'synth']);
  });

  test('the command itself ends with 2 and measures nothing', () => {
    const ended = spawnSync(process.execPath, ['-C', 'gala-source', join(REPOSITORY, 'test/bench/main.ts'), 'sinth', '--json'], {
      cwd: REPOSITORY,
      encoding: 'utf8',
    });
    expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status: 2, stdout: '' });
    expect(ended.stderr).toContain("Did you mean 'synth'?");
  });
});

describe('the planted mistakes', () => {
  const line = (path: string, says: string) => ({ path, says });
  const vlan = MISTAKES.find(({ path }) => path === 'pools.web.vlans.5000')!;

  test('are twelve, at twelve places, and each wrong value stands in the definition', () => {
    expect(MISTAKES).toHaveLength(12);
    expect(new Set(MISTAKES.map(({ path }) => path)).size).toBe(12);
    const text = mistaken('cdk8s-gala');
    for (const { got } of MISTAKES) expect(text).toContain(got);
  });

  test('lines of the file are told from everything else that a command prints', () => {
    const output = ['noise', '../x/wrong.ts: pools.web: b: c', 'wrong.ts: name: d', 'other.ts: name: e', '1 problem'].join('\n');
    expect(linesAbout('wrong.ts', output)).toEqual([line('pools.web', 'b: c'), line('name', 'd')]);
  });

  test('a message counts when it has path, value, what is allowed and, after that sentence, a remedy', () => {
    const whole = 'VLAN id is 5000; an 802.1Q id is 1 to 4094. Use the id that the switches trunk.';
    expect(complete(line(vlan.path, whole), vlan)).toBe(true);
    expect(complete(line('pools.web', whole), vlan)).toBe(false);
    expect(complete(line(vlan.path, whole.replace('5000', 'wrong')), vlan)).toBe(false);
    expect(complete(line(vlan.path, 'VLAN id is 5000. Use the id that the switches trunk.'), vlan)).toBe(false);
    expect(complete(line(vlan.path, 'VLAN id is 5000; an 802.1Q id is 1 to 4094.'), vlan)).toBe(false);
  });
});

test('every area has a name of its own, a line of docs, and figures', () => {
  expect(new Set(AREAS.map(({ name }) => name)).size).toBe(AREAS.length);
  for (const { doc, figures } of AREAS) {
    expect(doc).not.toBe('');
    expect(Object.keys(figures)).not.toEqual([]);
  }
});

test("the page's table of areas is what --list prints", () => {
  const page = readFileSync(join(REPOSITORY, 'docs/operations/bench.md'), 'utf8');
  expect(page).toContain(areasTable(AREAS));
});
