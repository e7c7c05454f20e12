/** A diff as a terminal shows it, and as an exit code. */
import type { Change, SynthDiff } from '../diff.ts';

/** In the order in which a person should read them. */
const SECTIONS: readonly (readonly [keyof SynthDiff, string])[] = [
  ['rolls', 'ROLLS'],
  ['restarts', 'RESTARTS'],
  ['refused', 'REFUSED'],
  ['recreates', 'RECREATES'],
  ['inPlace', 'IN PLACE'],
  ['prunes', 'PRUNES'],
  ['creates', 'CREATES'],
];

/** 3 when the API server would refuse something, else 0. */
export function diffExitCode(diff: SynthDiff): 0 | 3 {
  return diff.refused.length > 0 ? 3 : 0;
}

/**
 * The diff for people: a line a change; in-place changes and creations without a note are counted by kind; sections
 * without anything share the last line.
 * @example '  ROLLS      DaemonSet gala-system/gala-cni   image 91c… → c07…   40 hosts, 4 at a time'
 */
export function diffText(diff: SynthDiff): string {
  if (SECTIONS.every(([section]) => diff[section].length === 0)) return '  nothing changes\n';
  const rows = SECTIONS.flatMap(([section, title]) => rowsOf(section, diff[section]).map((row) => [title, ...row] as const));
  const width = (column: 1 | 2) => Math.min(48, Math.max(...rows.map((row) => row[column].length)));
  const [objects, whats] = [width(1), width(2)];
  const lines = rows.map(([title, object, what, note]) =>
    `  ${title.padEnd(10)} ${object.padEnd(objects)}   ${what.padEnd(whats)}   ${note}`.trimEnd(),
  );
  const empty = SECTIONS.filter(([section]) => section !== 'creates' && diff[section].length === 0).map(([, title]) => `${title} nothing`);
  return `${[...lines, ...(empty.length === 0 ? [] : [`  ${empty.join(' · ')}`])].join('\n')}\n`;
}

type Row = readonly [object: string, what: string, note: string];

function rowsOf(section: keyof SynthDiff, changes: readonly Change[]): Row[] {
  const counted =
    section === 'inPlace' || section === 'creates' ? changes.filter(({ note, object }) => note === undefined && object.includes('/')) : [];
  const single = changes
    .filter((change) => !counted.includes(change))
    .map(({ object, what, note }): Row => [spaced(object), what, note ?? '']);
  if (counted.length <= 1) return [...counted.map(({ object, what }): Row => [spaced(object), what, '']), ...single];
  const kinds = [...Map.groupBy(counted, ({ object }) => object.slice(0, object.indexOf('/')))].map(([kind, of]) => `${of.length} ${kind}`);
  return [[kinds.join(', '), '', section === 'inPlace' ? 'no restart' : ''], ...single];
}

/** `DaemonSet/gala-system/gala-cni` → `DaemonSet gala-system/gala-cni`, as kubectl says it. */
function spaced(object: string): string {
  return object.replace('/', ' ');
}
