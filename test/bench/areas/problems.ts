/** Area `problems`: a definition with planted mistakes, through the real command: all of them at once, and nothing written. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { defineArea } from '../area.ts';
import { REPOSITORY, run } from '../child.ts';
import { complete, linesAbout, MISTAKES, mistaken } from '../mistakes.ts';
import { aProject, SYNTH } from '../project.ts';

/** What an editor would have told before anything ran. */
const TYPES = 'the TypeScript compiler alone';
const RUNS = 3;
const ALL = { must: '=', than: MISTAKES.length } as const;
const NONE = { must: '=', than: 0 } as const;

export const problems = defineArea({
  name: 'problems',
  doc: `a definition with ${MISTAKES.length} planted mistakes, through npx cdk8s synth`,
  figures: {
    found: { what: 'planted mistakes found in one run', unit: '', bar: ALL, peer: TYPES },
    complete: { what: 'of them with path, value, what is allowed and remedy', unit: '', bar: ALL },
    others: { what: 'problems that nobody planted', unit: '', bar: NONE },
    passed: { what: 'runs that ended with exit code 0', unit: '', bar: NONE },
    left: { what: 'files left in dist', unit: '', bar: NONE },
    seconds: { what: 'time to all problems, CLI included', unit: 's' },
  },
  async measure({ folder, say }) {
    const definitions = join(folder, 'definitions');
    await mkdir(definitions);
    await writeFile(join(definitions, 'wrong.ts'), mistaken(relative(definitions, join(REPOSITORY, 'constructs/index.ts'))));
    const project = await aProject(join(folder, 'project'), { app: ['test/bench/fleet/app.ts', definitions], gate: true });
    const counts = { found: [], complete: [], others: [], passed: [], left: [], seconds: [] } as Record<string, number[]>;
    const count = (what: string, value: number) => counts[what]?.push(value);
    for (let turn = 1; turn <= RUNS; turn++) {
      const ended = await run(SYNTH, { cwd: project });
      const lines = linesAbout('wrong.ts', `${ended.stdout}${ended.stderr}`);
      if (lines.length === 0) throw new Error(`no line about wrong.ts; the command said:\n${ended.stdout}${ended.stderr}`);
      const found = MISTAKES.filter(({ path }) => lines.some((line) => line.path === path));
      count('found', found.length);
      count('complete', MISTAKES.filter((mistake) => lines.some((line) => complete(line, mistake))).length);
      count('others', lines.filter(({ path }) => !MISTAKES.some((mistake) => mistake.path === path)).length);
      count('passed', ended.code === 0 ? 1 : 0);
      count('left', (await readdir(join(project, 'dist'), { recursive: true }).catch(() => [])).length);
      count('seconds', ended.seconds);
      say(`turn ${turn} of ${RUNS}: ${found.length} of ${MISTAKES.length}, exit code ${ended.code}`);
    }
    const of = (what: string) => ({ runs: counts[what] as number[] });
    return {
      found: { ...of('found'), peer: [await errorsOfTypes(join(definitions, 'wrong.ts'))] },
      complete: of('complete'),
      others: of('others'),
      passed: of('passed'),
      left: of('left'),
      seconds: of('seconds'),
    };
  },
});

/** How many mistakes the compiler finds. It reads the definition as the project's own tsconfig would have it. */
async function errorsOfTypes(file: string): Promise<number> {
  const options = ['--ignoreConfig', '--noEmit', '--pretty', 'false', '--strict', '--skipLibCheck', '--allowImportingTsExtensions'];
  const modules = ['--module', 'nodenext', '--target', 'es2024', '--customConditions', 'gala-source', '--types', 'node'];
  const { stdout } = await run(['tsc', ...options, ...modules, '--typeRoots', 'node_modules/@types', file]);
  const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
  if (errors.some((line) => !line.includes('wrong.ts('))) throw new Error(`tsc found errors elsewhere:\n${stdout}`);
  return errors.length;
}
