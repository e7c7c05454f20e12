/** A namespace that is not there: said where something is looked for in vain in it, with those that were probably meant. */
import { didYouMean } from '../api/issue.ts';
import type { Api } from '../kube/client.ts';
import { isNotFound } from '../kube/error.ts';
import { NAMESPACES } from '../kube/kinds.ts';
import { BadInput } from './output.ts';

/**
 * Told by the API server, in as far as the caller may ask.
 * @throws {BadInput} when there surely is no such namespace
 */
export async function assertNamespace(api: Api, name: string): Promise<void> {
  const found = await api.get(NAMESPACES, { name }).then(
    () => true,
    (error: unknown) => !isNotFound(error),
  );
  if (found) return;
  const known = await api.list(NAMESPACES).then(
    ({ items }) => items.map(({ metadata }) => metadata.name),
    () => undefined,
  );
  throw new BadInput(noSuchNamespace(name, known));
}

/** Most names that are told where none is near. */
const FEW = 8;

/** @param known names of those that there are; undefined: not for us to see */
export function noSuchNamespace(name: string, known: readonly string[] | undefined): string {
  const remedy = `-n names another one, kubectl create namespace ${name} makes this one.`;
  if (known === undefined) return `there is no namespace ${name}. ${remedy}`;
  const names = [...known].sort();
  const more = names.length > FEW ? ` and ${names.length - FEW} more` : '';
  return `there is no namespace ${name}. ${didYouMean(name, names, `There are ${names.slice(0, FEW).join(', ')}${more}.`)} ${remedy}`;
}
