/** Runs kubectl for a bed: each call has an end, by itself, by its time limit or by the bed's. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Holding } from './holding.ts';
import { command } from './parts.ts';

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubectlOptions {
  readonly stdin?: string;
  /** Below jest's 60 s, so that the error that is shown names the call. @default 50 */
  readonly seconds?: number;
}

export interface At {
  readonly kubeconfig: string;
  readonly folder: string;
  readonly holding: Holding;
}

/** Rejects when kubectl does not end in time, or when the bed is stopped meanwhile: kubectl is killed then. */
export function kubectl(at: At, args: readonly string[], { stdin = '', seconds = 50 }: KubectlOptions = {}): Promise<KubectlResult> {
  const [program, ...first] = command('kubectl');
  const flags = ['--kubeconfig', at.kubeconfig, '--cache-dir', join(at.folder, 'kubectl-cache')];
  // As every process of the bed (process.ts): the kernel ends it when this process is gone.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...first, ...flags, ...args]);
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.stdin.on('error', () => {}); // kubectl may end before it has read everything: its exit code says why
    child.stdin.end(stdin);

    let why = 'was ended by somebody else';
    const closed = new Promise<void>((done) => child.once('close', () => done()));
    const kill = (because: string) => {
      if (child.exitCode === null && child.signalCode === null) why = because;
      child.kill('SIGKILL');
      return closed;
    };
    const timer = setTimeout(() => kill(`did not end within ${seconds} s and was killed`), seconds * 1000);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code !== null) return resolve({ code, stdout, stderr });
      const said = `${stdout}${stderr}`.trim();
      reject(new Error(`kubectl ${args.join(' ')}: ${why}. ${said ? `It had said:\n${said}` : 'It had said nothing.'}`));
    });
    try {
      at.holding.add(() => kill('was still running when the bed was stopped, and was killed'));
    } catch (stopped) {
      reject(stopped);
    }
  });
}
