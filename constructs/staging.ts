/**
 * Staging: clusters are written beside where they will be and moved there when all are whole.
 * A crash while writing leaves the old folders; a crash while moving leaves each cluster old or new, never half: the next
 * run finds what was set aside and puts it back.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cluster } from '../lib/api/cluster.ts';
import { writeReceipt } from '../lib/gate/receipt.ts';
import type { RenderedFile } from './render.ts';

const NEW = '.staging';
const OLD = '.replaced';

export class Staging {
  readonly #out: string;
  readonly #clusters: Cluster[] = [];

  private constructor(out: string) {
    this.#out = out;
  }

  /** @param out the output folder; made if it isn't there */
  static async in(out: string): Promise<Staging> {
    await mkdir(out, { recursive: true });
    await putBack(out);
    await rm(join(out, NEW), { recursive: true, force: true });
    return new Staging(out);
  }

  async write(cluster: Cluster, files: readonly RenderedFile[]): Promise<void> {
    this.#clusters.push(cluster);
    for (const { path, text } of files) {
      const file = join(this.#out, NEW, cluster.name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }

  /** Puts all folders in place, and takes away those of clusters that are no longer defined. */
  async swap(): Promise<void> {
    await mkdir(join(this.#out, OLD), { recursive: true });
    const names = this.#clusters.map(({ name }) => name);
    for (const name of await clusterFolders(this.#out))
      if (!names.includes(name)) await rename(join(this.#out, name), join(this.#out, OLD, name));
    for (const name of names) {
      await rename(join(this.#out, name), join(this.#out, OLD, name)).catch(unlessMissing);
      await rename(join(this.#out, NEW, name), join(this.#out, name));
    }
    await writeReceipt(this.#out, this.#clusters);
    await rm(join(this.#out, OLD), { recursive: true });
  }

  /** Takes away what was written and not put in place. */
  async clear(): Promise<void> {
    await rm(join(this.#out, NEW), { recursive: true, force: true });
  }
}

/** Folders of an earlier synth. Anything without a summary of ours is somebody else's and stays. */
async function clusterFolders(out: string): Promise<string[]> {
  const folders = (await readdir(out, { withFileTypes: true })).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  const ours = await Promise.all(folders.map(async ({ name }) => (await readdir(join(out, name))).includes('SUMMARY.md')));
  return folders.filter((_, i) => ours[i]).map(({ name }) => name);
}

/** After a crash while moving: what was set aside and not replaced goes back. */
async function putBack(out: string): Promise<void> {
  const aside = await readdir(join(out, OLD)).catch(() => []);
  const there = await readdir(out);
  for (const name of aside) if (!there.includes(name)) await rename(join(out, OLD, name), join(out, name));
  await rm(join(out, OLD), { recursive: true, force: true });
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
