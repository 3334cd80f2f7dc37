import * as z from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);

const schema = z.object({
  CLINIC_ADMIN_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'expected postgres://user:password@host:port/postgres' }),
  CLINIC_PORT: port(4610),
  CLINIC_CONTROL_PORT: port(4611),
  CLINIC_OPS_TOKEN: z.string('expected a token of at least 8 characters').min(8, 'expected a token of at least 8 characters'),
  CLINIC_MONITOR_PASSWORD: z.string('expected a password of at least 8 characters').min(8, 'expected a password of at least 8 characters'),
});

/** What the clinic is started with. */
export interface Settings {
  /** Owner of the server; its database is only used to create the clinic's own. */
  adminDatabaseUrl: string;
  port: number;
  controlPort: number;
  opsToken: string;
  monitorPassword: string;
}

/** Returns the settings in the environment handed in. Throws with one sentence that names every variable in error, never a value. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const read = schema.safeParse(env);
  if (!read.success) {
    const problems = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The sample clinic cannot start. ${problems.join('; ')}.`);
  }
  return {
    adminDatabaseUrl: read.data.CLINIC_ADMIN_DATABASE_URL,
    port: read.data.CLINIC_PORT,
    controlPort: read.data.CLINIC_CONTROL_PORT,
    opsToken: read.data.CLINIC_OPS_TOKEN,
    monitorPassword: read.data.CLINIC_MONITOR_PASSWORD,
  };
}
