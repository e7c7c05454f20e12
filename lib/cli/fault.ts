/**
 * What the API server's no means to a person: the exit code, and what to do now. Pure. The words are the server's own; what
 * is added is the command that mends it.
 */
import type { ApiError, NoAnswer } from '../kube/error.ts';
import { reasonOf } from '../kube/log.ts';
import { BadInput, Ended, NotNow, Refused } from './output.ts';

/** The way an error ends a command; undefined when it is none of the API server's. */
export function endedBy(error: unknown): Ended | undefined {
  if (error instanceof Ended) return error;
  // By name: the classes need not be loaded for commands that ask no server.
  const { name } = error as Error;
  if (name === 'NoAnswer') return unanswered(error as NoAnswer);
  if (name === 'ApiError') return answered(error as ApiError);
  return undefined;
}

function unanswered(error: NoAnswer): Ended {
  return new NotNow(
    `${reasonOf(error)}. The API server does not answer: kubectl get --raw /readyz asks the same one; --kubeconfig and --context choose another.`,
    { cause: error },
  );
}

function answered(error: ApiError): Ended {
  const said = error.message;
  const options = { cause: error };
  if (error.status === 401) return new Refused(`${said}. Log in again: kubectl auth whoami says as whom you ask.`, options);
  if (error.status === 403) return new Refused(policySentence(said) ?? `${said}.`, options);
  if (error.status === 404 && error.details?.kind === 'namespaces') {
    const { name = '' } = error.details;
    return new BadInput(`there is no namespace ${name}. Name another with -n, or make it: kubectl create namespace ${name}`, options);
  }
  if (error.status === 404) return new BadInput(`${said}.`, options);
  // 422: a schema, a CEL rule or an admission policy. A policy's own sentence has its remedy.
  if (error.status === 422 || error.status === 400) return new BadInput(causesOf(error), options);
  return new NotNow(`${said}. Ask again in a moment.`, options);
}

function causesOf(error: ApiError): string {
  const causes = (error.details?.causes ?? []).flatMap(({ field, message }) =>
    message === undefined ? [] : [`${field === undefined || field === '' ? '' : `${field}: `}${message}.`],
  );
  return causes.length === 0 ? `${error.message}.` : causes.join('\n');
}

/**
 * The sentence of a ValidatingAdmissionPolicy, without the words around it
 * (apiserver/pkg/admission/plugin/policy/validating: `ValidatingAdmissionPolicy '…' with binding '…' denied request: …`).
 */
export function policySentence(message: string): string | undefined {
  return /denied request: ([\s\S]+)$/.exec(message)?.[1]?.trim();
}
