/** What a failed request to Slack means for whoever sent it. */
import { SlackTrouble, type TroubleKind } from './contract.ts';

/** The request never left: nobody answered at that address. */
const NEVER_LEFT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** Slack's words in `error`, by what they mean. What is not here is final: docs.slack.dev/reference/methods/chat.postMessage */
const MEANING: Record<string, TroubleKind> = {
  invalid_auth: 'auth',
  not_authed: 'auth',
  account_inactive: 'auth',
  token_revoked: 'auth',
  token_expired: 'auth',
  missing_scope: 'auth',
  no_permission: 'auth',
  access_denied: 'auth',
  not_allowed_token_type: 'auth',
  ratelimited: 'limited',
  rate_limited: 'limited',
  message_limit_exceeded: 'limited',
  // "Some aspect of the operation may have succeeded before the error was raised": Slack's words on both.
  internal_error: 'unclear',
  fatal_error: 'unclear',
  service_unavailable: 'unclear',
  request_timeout: 'unclear',
  message_not_found: 'gone',
  thread_not_found: 'gone',
  cant_update_message: 'gone',
  edit_window_closed: 'gone',
};

/** Slack's words for a channel that the bot cannot speak in (https://api.slack.com/methods/chat.postMessage#errors). */
export const NO_WAY_IN: ReadonlySet<string> = new Set(['not_in_channel', 'channel_not_found', 'is_archived', 'restricted_action']);

/** After a refusal for the rate without a word on how long. */
const LIMITED_MS = 30_000;

/** The error as trouble. What cannot be told is `unclear`: the careful reading. */
export function troubleOf(error: unknown): SlackTrouble {
  if (error instanceof SlackTrouble) return error;
  const { code, message } = read(error);
  if (code === 'slack_webapi_rate_limited_error') return limited((error as { retryAfter?: number }).retryAfter);
  if (code === 'slack_webapi_platform_error') return platformTrouble((error as { data?: { error?: unknown } }).data?.error);
  if (code === 'slack_webapi_http_error') return httpTrouble((error as { statusCode?: number }).statusCode ?? 0);
  if (message.startsWith('Retry header did not contain')) return limited(undefined);
  const cause = causeCode(error);
  if (cause !== undefined && NEVER_LEFT.has(cause)) return new SlackTrouble('not-sent', cause, `Slack cannot be reached (${cause}).`);
  return new SlackTrouble('unclear', cause ?? 'unclear', `No answer from Slack (${cause ?? message}).`);
}

function limited(retryAfterSeconds: number | undefined): SlackTrouble {
  const retryAfterMs = retryAfterSeconds === undefined ? LIMITED_MS : Math.max(1, retryAfterSeconds) * 1000;
  return new SlackTrouble('limited', 'ratelimited', `Slack asked to wait ${retryAfterMs / 1000} s.`, retryAfterMs);
}

function platformTrouble(word: unknown): SlackTrouble {
  const code = String(word);
  if (!/^[a-z_]{1,60}$/.test(code)) return new SlackTrouble('unclear', 'unreadable', 'Slack answered with something that is not its own.');
  const kind = MEANING[code] ?? 'refused';
  return new SlackTrouble(kind, code, `Slack answered ${code}.`, kind === 'limited' ? LIMITED_MS : undefined);
}

/** Below 500 Slack did not take it; the others, and those of proxies between, may come after it did. */
function httpTrouble(status: number): SlackTrouble {
  if (status >= 500 || status < 400) return new SlackTrouble('unclear', `http_${status}`, `Slack answered with HTTP ${status}.`);
  return new SlackTrouble('limited', `http_${status}`, `Slack answered with HTTP ${status}.`, LIMITED_MS);
}

function read(error: unknown): { code: string; message: string } {
  const one = error as { code?: unknown; message?: unknown } | undefined;
  return { code: String(one?.code ?? ''), message: String(one?.message ?? error).slice(0, 200) };
}

/** The system's own code, which `fetch` and the client wrap more than once. */
function causeCode(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at && depth < 5; depth++) {
    const one = at as { code?: unknown; name?: unknown; cause?: unknown; original?: unknown };
    if (typeof one.code === 'string' && /^(E[A-Z]|UND_ERR)/.test(one.code)) return one.code;
    if (one.name === 'TimeoutError') return 'timeout';
    at = one.original ?? one.cause;
  }
  return undefined;
}

/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
