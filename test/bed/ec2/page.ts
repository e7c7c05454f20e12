/** Pages of a Describe call: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html. Pure. */
import { type Ec2Error, pageSize, pagesOfIds, pageToken } from './error.ts';
import type { Params } from './query.ts';

export interface Numbered<T> {
  readonly serial: number;
  readonly item: T;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

export interface Bounds {
  readonly least: number;
  readonly most: number;
  /** The parameter that names single things: no pages of those. */
  readonly ids?: string;
}

/**
 * The page that was asked for: "pagination continues from the end of the items returned by the previous request", so the token
 * names the last of them, and what is made or deleted meanwhile shifts nothing. A token belongs to the question that it came from.
 */
export function pageOf<T>(all: readonly Numbered<T>[], params: Params, bounds: Bounds): Page<T> | { readonly refused: Ec2Error } {
  const { MaxResults, NextToken, ...question } = params;
  if (MaxResults !== undefined && bounds.ids !== undefined && Object.keys(question).some((name) => name.startsWith(`${bounds.ids}.`)))
    return { refused: pagesOfIds(bounds.ids) };
  const size = MaxResults === undefined ? Number.POSITIVE_INFINITY : Number(MaxResults);
  if (MaxResults !== undefined && !(size >= bounds.least && size <= bounds.most))
    return { refused: pageSize(MaxResults, bounds.least, bounds.most) };
  const asked = JSON.stringify(Object.entries(question).sort());
  const after = NextToken === undefined ? 0 : serialIn(NextToken, asked);
  if (after === undefined) return { refused: pageToken() };
  const rest = [...all].filter(({ serial }) => serial > after).sort((a, b) => a.serial - b.serial);
  const items = rest.slice(0, size);
  const last = items.at(-1);
  const more = rest.length > items.length && last !== undefined;
  return { items: items.map(({ item }) => item), ...(more ? { nextToken: tokenOf(last.serial, asked) } : {}) };
}

const tokenOf = (serial: number, asked: string) => Buffer.from(JSON.stringify({ serial, asked })).toString('base64url');

function serialIn(token: string, asked: string): number | undefined {
  try {
    const read = JSON.parse(Buffer.from(token, 'base64url').toString());
    return read.asked === asked && Number.isInteger(read.serial) ? read.serial : undefined;
  } catch {
    return undefined;
  }
}
