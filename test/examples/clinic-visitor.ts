/** A visitor of the clinic without a browser: keeps cookies, and finds the token in a form as a browser would. */
export class Visitor {
  readonly base: string;
  readonly cookies = new Map<string, string>();

  constructor(base: string) {
    this.base = base;
  }

  async get(path: string): Promise<{ status: number; text: string; url: string }> {
    return this.request(path, { method: 'GET' });
  }

  /** Sends the form of the page at `from` to `path`, with its token unless another is given. */
  async submit(from: string, path: string, fields: Record<string, string>, csrf?: string) {
    const page = await this.get(from);
    const token = csrf ?? /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    return this.request(path, { method: 'POST', body: new URLSearchParams({ csrf: token, ...fields }) });
  }

  async signIn(password: string, csrf?: string) {
    return this.submit('/login', '/login', { user: 'rounds-monitor', password }, csrf);
  }

  private async request(path: string, init: RequestInit): Promise<{ status: number; text: string; url: string }> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(this.base + path, { ...init, headers: { cookie }, redirect: 'manual' });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) return { status: answer.status, text: await answer.text(), url: path };
    await answer.body?.cancel();
    return this.get(location.slice(new URL(this.base).pathname.length));
  }
}

/** Returns the text of the alert on a page, without its tags. */
export function alertOf(page: { text: string }): string | undefined {
  return /role="alert">(.*?)<\/div>/s
    .exec(page.text)?.[1]
    ?.replace(/<[^>]+>/g, '')
    .trim();
}
