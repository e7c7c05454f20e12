/** `gala explain pod` as a page. Pure. */
import type { EventSeen, Explained } from '../scheduling/explain-pod.ts';
import { ageOf, counted } from './amount.ts';
import { type More, moreText } from './more.ts';
import { wantsText } from './stock-text.ts';
import { table, terminalWidth } from './table.ts';

/** What `-o json` prints. */
export interface ExplainedPod extends Explained {
  /** What would make room, and how. */
  readonly more: readonly More[];
  /** Of the pod, the newest first. */
  readonly events: readonly EventSeen[];
}

const TITLE: Readonly<Record<Explained['state'], string>> = {
  Waits: 'Pending',
  Pinned: 'Pinned',
  Bound: 'Bound',
  Unbound: 'Pending',
  Leaving: 'Leaving',
  Done: 'Done',
};

/** @param nowMs Unix milliseconds */
export function explainText(pod: ExplainedPod, nowMs: number): string {
  const { state, ageMs, schedulerName, looked, rows, because, node, slot, lock, more, events } = pod;
  const wants = [...wantsText({ pods: { ...pod, namespace: '' } }), ...(pod.address ? ['1 address'] : [])].join(', ');
  const head = [
    `${TITLE[state]}${state === 'Waits' || state === 'Unbound' ? ` ${ageOf(ageMs)}` : ''}`,
    `profile ${schedulerName}`,
    `wants ${wants === '' ? 'nothing' : wants}`,
    ...(looked === undefined ? [] : [`${counted(looked.hosts, 'host')} looked at, ${looked.fit} fit`]),
    ...(node === undefined ? [] : [`node ${node}`]),
    ...(slot === undefined ? [] : [slot === 'loose' ? 'a loose slot' : `slot ${slot}`]),
    ...(lock === undefined ? [] : [`Lock ${lock}`]),
  ].join(' · ');
  const lines = rows.map(({ nodes, reason, message, remedy }) => [String(nodes), reason, `${message}. ${remedy}`]);
  return [
    head,
    ...(lines.length === 0 ? [] : [table(lines, { right: [0], width: terminalWidth() })]),
    sentenceOf(because),
    ...moreText(more),
    ...events.slice(0, 1).map(({ reason, message, at, count }) => {
      const times = count > 1 ? `, ${count} times` : '';
      return `Event ${reason}, ${ageOf(nowMs - Date.parse(at))} ago${times}: ${message}`;
    }),
  ].join('\n');
}

const sentenceOf = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
