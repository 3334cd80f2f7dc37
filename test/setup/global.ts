/** One PostgreSQL for the whole run of Vitest. */
import type { TestProject } from 'vitest/node';
import { testServer } from '../helpers/server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresAdminUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await testServer();
  project.provide('postgresAdminUrl', server.adminUrl);
  return () => server.stop();
}
