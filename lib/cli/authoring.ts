/**
 * What `cdk8s-gala` is to a definition while `gala` loads it. Definitions need three functions that tag data; the whole
 * package brings cdk8s along, half a second that a question about stock does not need to wait for.
 */
import { registerHooks } from 'node:module';
import * as authoring from '../api/authoring.ts';

const PACKAGE = 'cdk8s-gala';
const URL_OF_PART = 'gala:authoring';
const SEAT = 'cdk8s-gala/authoring';
/** A clone runs its source: what is published is not built there. */
const IN_CLONE = import.meta.url.endsWith('.ts');

/** Loads while `cdk8s-gala` is no more than what definitions are written with: an import of anything else of it fails. */
export async function definitionsOnly<T>(load: () => Promise<T>): Promise<T> {
  const source = Object.keys(authoring)
    .map((name) => `export const ${name} = globalThis[Symbol.for('${SEAT}')].${name};`)
    .join('\n');
  (globalThis as Record<symbol, unknown>)[Symbol.for(SEAT)] = authoring;
  return hooked(
    {
      resolve: (specifier, context, next) => (specifier === PACKAGE ? { url: URL_OF_PART, shortCircuit: true } : next(specifier, context)),
      load: (url, context, next) => (url === URL_OF_PART ? { format: 'module', source, shortCircuit: true } : next(url, context)),
    },
    load,
  );
}

/** Loads with the whole package. Modules that failed before are read anew: Node keeps a failed module as it is. */
export async function wholePackage<T>(load: () => Promise<T>): Promise<T> {
  return hooked(
    {
      resolve: (specifier, context, next) => {
        const isPackage = specifier === PACKAGE || specifier.startsWith(`${PACKAGE}/`);
        if (isPackage && IN_CLONE) return next(specifier, { ...context, conditions: [...context.conditions, 'gala-source'] });
        const resolved = next(specifier, context);
        const isOwn = resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/') && !isOfGala(resolved.url);
        return isOwn ? { ...resolved, url: `${resolved.url}?whole` } : resolved;
      },
    },
    load,
  );
}

/** Modules of Gala itself stay the ones that are loaded already. */
const ROOT = new URL('../../', import.meta.url).href;
const isOfGala = (url: string): boolean =>
  ['lib/', 'constructs/', 'build/', 'imports/'].some((folder) => url.startsWith(`${ROOT}${folder}`));

async function hooked<T>(hooks: Parameters<typeof registerHooks>[0], load: () => Promise<T>): Promise<T> {
  const registered = register(hooks);
  try {
    return await load();
  } finally {
    registered?.deregister();
  }
}

/** A test runner with a loader of its own takes no hooks, and finds the package in its own way: slower, and the same. */
function register(hooks: Parameters<typeof registerHooks>[0]): ReturnType<typeof registerHooks> | undefined {
  try {
    return registerHooks(hooks);
  } catch {
    return undefined;
  }
}
