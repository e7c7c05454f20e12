/**
 * Exec plugins (client.authentication.k8s.io): a command that says who one is, as EKS, GKE and AKS have it. Run when its
 * answer has expired or was refused; once, however many calls wait for it.
 */
import { spawn } from 'node:child_process';
import type { Access, Identity } from './access.ts';

export interface Exec {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always';
}

/** A person may have to log in meanwhile. */
const INTERACTIVE_MS = 300_000;
const PLUGIN_MS = 60_000;
const LARGEST_CREDENTIAL = 2 ** 20;

/** @param base what the kubeconfig itself says: the authority @param cluster what a plugin that asks for it is told */
export function execIdentity(
  exec: Exec,
  base: () => Identity,
  cluster: object,
  env: NodeJS.ProcessEnv,
): Required<Pick<Access, 'identity' | 'renew'>> {
  let known: { identity: Identity; expiresAt: number } | undefined;
  let running: Promise<Identity> | undefined;
  const renew = () => {
    running ??= credential(exec, cluster, env)
      .then((said) => {
        known = said;
        return { ...base(), ...said.identity };
      })
      .finally(() => (running = undefined));
    return running;
  };
  // The plugin says when in wall-clock time, so that is what it is compared with.
  return { renew, identity: () => (known && Date.now() < known.expiresAt ? { ...base(), ...known.identity } : renew()) };
}

async function credential(exec: Exec, cluster: object, env: NodeJS.ProcessEnv): Promise<{ identity: Identity; expiresAt: number }> {
  const said = await run(exec, cluster, env);
  const fail = (why: string) => new Error(`exec plugin ${exec.command}: ${why}`);
  let answer: {
    kind?: string;
    status?: { token?: string; clientCertificateData?: string; clientKeyData?: string; expirationTimestamp?: string };
  };
  try {
    answer = JSON.parse(said);
  } catch {
    throw fail('what it wrote is no JSON');
  }
  const { status = {} } = answer ?? {};
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
  if (answer?.kind !== 'ExecCredential' || (!token && !(cert && key)))
    throw fail('wrote no ExecCredential with a token or a certificate with its key');
  const expiresAt = expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(expiresAt)) throw fail(`expirationTimestamp is ${JSON.stringify(expirationTimestamp)}, not RFC 3339`);
  return { identity: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(cert && key ? { cert, key } : {}) }, expiresAt };
}

function run(
  { apiVersion, command, args, env: more, installHint, provideClusterInfo, interactiveMode }: Exec,
  cluster: object,
  env: NodeJS.ProcessEnv,
) {
  const interactive = interactiveMode !== 'Never' && process.stdin.isTTY === true;
  const spec = { interactive, ...(provideClusterInfo ? { cluster } : {}) };
  return new Promise<string>((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new Error(`exec plugin ${command}: ${why}${installHint ? `\n${installHint}` : ''}`, { cause }));
    if (!command) return fail('the kubeconfig names no command');
    if (interactiveMode === 'Always' && !interactive) return fail('wants a terminal (interactiveMode: Always), and there is none');
    const child = spawn(command, args ?? [], {
      env: {
        ...env,
        ...Object.fromEntries((more ?? []).map(({ name, value }) => [name, value])),
        KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }),
      },
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
      timeout: interactive ? INTERACTIVE_MS : PLUGIN_MS,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout!.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= LARGEST_CREDENTIAL) chunks.push(chunk);
      else child.kill();
    });
    child.on('error', (cause) => fail((cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not installed' : cause.message, cause));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else fail(signal ? `was ended by ${signal}: it took too long or wrote too much` : `ended with exit code ${code}`);
    });
  });
}
