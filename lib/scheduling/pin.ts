/**
 * Pins: the one node that a pod's required affinity names by `metadata.name`. The lock writer pins a pod so, and the DaemonSet
 * controller its own; what pods of one template ask for is the same without it.
 */
type Loose = Readonly<Record<string, unknown>>;

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

/** @returns the pin, and the affinity without it; as it was where no pin is in all of its terms */
export function unpinned(affinity: unknown): { readonly node?: string; readonly affinity: unknown } {
  const nodeAffinity = (affinity as Loose | undefined)?.nodeAffinity as Loose | undefined;
  const required = nodeAffinity?.[REQUIRED] as Loose | undefined;
  const terms = required?.nodeSelectorTerms;
  if (!Array.isArray(terms) || terms.length === 0) return { affinity };
  const node = pinOf(terms[0]);
  // Terms are alternatives: only what all of them name is certain.
  if (node === undefined || terms.some((term) => pinOf(term) !== node)) return { affinity };
  const rest = terms.map(withoutPin);
  // One alternative that asked for nothing but the node leaves nothing to ask.
  const open = rest.some(({ matchExpressions, matchFields }) => isEmpty(matchExpressions) && isEmpty(matchFields));
  const { [REQUIRED]: _, ...others } = nodeAffinity as Loose;
  const stripped = open ? others : { ...others, [REQUIRED]: { ...required, nodeSelectorTerms: rest } };
  return { node, affinity: { ...(affinity as Loose), nodeAffinity: stripped } };
}

const isEmpty = (list: unknown): boolean => !Array.isArray(list) || list.length === 0;

function pinOf(term: unknown): string | undefined {
  const fields = (term as Loose | null)?.matchFields;
  const pin = Array.isArray(fields) ? fields.find(isPin) : undefined;
  return (pin as { values: [string] } | undefined)?.values[0];
}

function isPin(field: unknown): boolean {
  const { key, operator, values } = (field ?? {}) as Loose;
  return key === 'metadata.name' && operator === 'In' && Array.isArray(values) && values.length === 1 && typeof values[0] === 'string';
}

function withoutPin(term: unknown): Loose {
  const { matchFields, ...rest } = term as Loose;
  const fields = (matchFields as unknown[]).filter((field) => !isPin(field));
  return fields.length === 0 ? rest : { ...rest, matchFields: fields };
}
