/** The API server of a definition: where it is, and its IPv4 address where the URL has one. */
import ipaddr from 'ipaddr.js';
import { toNumber } from '../range.ts';
import type { Draft } from './draft.ts';

export interface ApiServer {
  /** `10.8.0.10:6443`: the same for two definitions of one cluster. */
  readonly endpoint: string;
  readonly host: string;
  /** When the host is one, as a number. */
  readonly address?: number;
  /** A proxy on each host, as `https://127.0.0.1:6443`: it tells nothing about which cluster is behind it. */
  readonly local: boolean;
}

export function apiServerOf(draft: Draft): ApiServer | undefined {
  const url = draft.apiServer === undefined ? null : URL.parse(draft.apiServer);
  if (url === null) return undefined;
  const host = url.hostname;
  const address = ipaddr.IPv4.isValidFourPartDecimal(host) ? toNumber(host) : undefined;
  const local = host === 'localhost' || (address !== undefined && ipaddr.IPv4.parse(host).range() === 'loopback');
  return { endpoint: `${host}:${url.port || 443}`, host, address, local };
}
