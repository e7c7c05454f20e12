/** Builders: definitions of a fleet that stand beside each other without a problem, with what the test is about put in. */
import { checkDefinitions, problemLine } from '../../../constructs/check.ts';
import { aDefinition, aRackedPool, aVlan } from '../a-definition.ts';

type Loose = Record<string, unknown>;

/** A definition by a name, with a host of its own. */
export const aCluster = (name: string, vlans: Loose, { pool = {}, ...parts }: Loose & { pool?: Loose } = {}) =>
  aDefinition({ name, pools: { web: aRackedPool({ racks: { r1: `${name}-1` }, vlans, ...pool }) }, ...parts });

/** A VLAN in 10.<net>.0.0/24 with addresses from .64 to .127. */
export const vlanIn = (net: number, parts: Loose = {}) =>
  aVlan({ subnet: `10.${net}.0.0/24`, gateway: `10.${net}.0.1`, addresses: `10.${net}.0.64-10.${net}.0.127`, ...parts });

/** All problems of a fleet whose definitions are a.ts, b.ts and so on. */
export const problemsOf = (...definitions: unknown[]) =>
  checkDefinitions(
    definitions.map((definition, i) => ({ file: `${'abcdefgh'[i] ?? `z${i}`}.ts`, definition })),
    [],
  ).problems;

export const linesOf = (...definitions: unknown[]): string[] => problemsOf(...definitions).map(problemLine);
