/**
 * Staging: clusters are written beside where they will be and moved there when all are whole.
 * A crash while writing leaves the old folders; a crash while moving leaves each cluster old or new, never half: the next
 * run finds what was set aside and puts it back. One synth at a time writes to a folder; what no synth wrote is not touched.
 */
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cluster } from '../lib/api/cluster.ts';
import { readReceipts, writeReceipt } from '../lib/gate/receipt.ts';
import type { RenderedFile } from './render.ts';

const NEW = '.staging';
const OLD = '.replaced';
const LOCK = '.synth.lock';

/** Not now: another synth is at work, or a folder is in the way. Nothing was changed. */
export class Busy extends Error {}

export class Staging {
  readonly #out: string;
  readonly #written: { readonly cluster: Cluster; readonly definition: string }[] = [];

  private constructor(out: string) {
    this.#out = out;
  }

  /**
   * @param out the output folder; made if it isn't there
   * @throws {Busy} when another synth is writing to it
   */
  static async in(out: string): Promise<Staging> {
    await mkdir(out, { recursive: true });
    await lock(out);
    await putBack(out);
    await rm(join(out, NEW), { recursive: true, force: true });
    return new Staging(out);
  }

  /** @param definition the file it was rendered from, as messages name it */
  async write(cluster: Cluster, definition: string, files: readonly RenderedFile[]): Promise<void> {
    this.#written.push({ cluster, definition });
    for (const { path, text } of files) {
      const file = join(this.#out, NEW, cluster.name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }

  /**
   * Puts all folders in place.
   * @param covers whether a definition file belongs to what this run rendered: a cluster that came from such a file and is no
   * longer defined goes; clusters of other files stay
   * @returns names of the clusters that went
   * @throws {Busy} when a folder of a cluster's name is there that no synth wrote
   */
  async swap(covers: (definition: string) => boolean): Promise<string[]> {
    // Two that took over the same dead lock: the later one has it.
    if ((await holder(this.#out)) !== process.pid) throw new Busy(`${this.#out}: another synth took over. Run this one again.`);
    const before = readReceipts(this.#out);
    const names = this.#written.map(({ cluster }) => cluster.name);
    await refuseForeign(
      this.#out,
      names.filter((name) => before[name] === undefined),
    );
    const gone = Object.keys(before).filter((name) => !names.includes(name) && covers(before[name]!.definition));
    const kept = Object.entries(before).filter(([name]) => !names.includes(name) && !gone.includes(name));
    await mkdir(join(this.#out, OLD), { recursive: true });
    for (const name of [...gone, ...names]) await rename(join(this.#out, name), join(this.#out, OLD, name)).catch(unlessMissing);
    for (const name of names) await rename(join(this.#out, NEW, name), join(this.#out, name));
    writeReceipt(
      this.#out,
      this.#written.map(({ cluster: { name, services, kubernetes }, definition }) => ({ name, services, kubernetes, definition })),
      Object.fromEntries(kept),
    );
    await rm(join(this.#out, OLD), { recursive: true });
    return gone;
  }

  /** Takes away what was written and not put in place, and lets the next synth in. */
  async clear(): Promise<void> {
    await rm(join(this.#out, NEW), { recursive: true, force: true });
    if ((await holder(this.#out)) === process.pid) await rm(join(this.#out, LOCK), { force: true });
  }
}

/** The lock holds the pid of its synth; that of a synth that was killed is taken over. */
async function lock(out: string): Promise<void> {
  const path = join(out, LOCK);
  const own = `${path}-${process.pid}`;
  // Linked when it is whole: nobody ever reads a lock without its pid.
  await writeFile(own, String(process.pid));
  try {
    for (let turn = 0; turn < 3; turn++) {
      const taken = await link(own, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') return false;
          throw error;
        },
      );
      if (taken) return;
      const pid = await holder(out);
      if (pid !== undefined && runs(pid)) break;
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
  throw new Busy(
    `${out}: process ${await holder(out)} is writing there; one synth at a time can. Wait for it, or set CDK8S_OUTDIR to another folder.`,
  );
}

async function holder(out: string): Promise<number | undefined> {
  const pid = Number(await readFile(join(out, LOCK), 'utf8').catch(() => ''));
  return pid > 0 ? pid : undefined;
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function refuseForeign(out: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const inside = await readdir(join(out, name)).catch((): string[] => []);
    // A folder of ours whose receipt was lost.
    if (inside.length === 0 || (inside.includes('SUMMARY.md') && inside.includes('images.txt'))) continue;
    throw new Busy(
      `${join(out, name)}: is there, and no synth wrote it; a cluster's folder is replaced as a whole. Move it away, rename the cluster, or set CDK8S_OUTDIR.`,
    );
  }
}

/** After a crash while moving: what was set aside and not replaced goes back. */
async function putBack(out: string): Promise<void> {
  const aside = await readdir(join(out, OLD)).catch(() => []);
  const there = await readdir(out);
  // What the receipt no longer has was on its way out.
  const ours = readReceipts(out);
  for (const name of aside) if (!there.includes(name) && ours[name] !== undefined) await rename(join(out, OLD, name), join(out, name));
  await rm(join(out, OLD), { recursive: true, force: true });
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
