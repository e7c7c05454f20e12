/** Projects: a cdk8s project in a folder of its own, with this repository's packages. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { REPOSITORY } from './child.ts';

export interface ProjectProps {
  /** The app's file in this repository, and what follows it. */
  readonly app: readonly [string, ...string[]];
  /** Whether the CLI asks the manifest gate too, as this repository's own cdk8s.yaml has it. */
  readonly gate: boolean;
}

/**
 * Makes a folder in which `npx cdk8s synth` works.
 * @returns the folder
 */
export async function aProject(folder: string, { app: [file, ...args], gate }: ProjectProps): Promise<string> {
  await mkdir(folder, { recursive: true });
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  // The CLI gives it to a shell.
  const words = ['node', '-C', 'gala-source', join(REPOSITORY, file), ...args].map((word) => `'${word}'`);
  const plugin = { package: join(REPOSITORY, 'lib/gate/plugin.ts'), class: 'ManifestGate', version: '0.1.0' };
  await writeFile(
    join(folder, 'cdk8s.yaml'),
    stringify({ language: 'typescript', app: words.join(' '), output: 'dist', ...(gate ? { validations: [plugin] } : {}) }),
  );
  return folder;
}

/** The main job. */
export const SYNTH = ['npx', 'cdk8s', 'synth'] as const;
