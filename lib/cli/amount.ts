/** Numbers as people of the field say them: quantities, counts, ages. Pure. */

export { amountOf, supplyName } from '../scheduling/amounts.ts';

/** `1 host`, `2 hosts`. @param many where it is not the word with an s */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/**
 * How long something took or is ago: two units at most, the smaller one left out where it says little.
 * @example ageOf(250_000) // '4 m 10 s'
 */
export function ageOf(ms: number): string {
  if (ms < 10_000) return `${Number((Math.max(0, ms) / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.round(seconds / 60);
  const hours = Math.round(minutes / 60);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 600) return twoUnits(seconds, 60, 'm', 's');
  if (minutes < 60) return `${minutes} m`;
  return hours < 48 ? twoUnits(minutes, 60, 'h', 'm') : twoUnits(hours, 24, 'd', 'h');
}

/** A moment, for people: wherever they sit, it is the one in logs and events. @example utcOf(0) // '1970-01-01 00:00:00 UTC' */
export const utcOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function twoUnits(amount: number, each: number, large: string, small: string): string {
  const rest = amount % each;
  return `${Math.floor(amount / each)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/**
 * A duration as it is typed: `5m`, `90s`, `1h30m`, or seconds.
 * @returns seconds; undefined when it is none
 */
export function secondsOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (parts === null || text === '') return undefined;
  const [, hours = 0, minutes = 0, seconds = 0] = parts;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
