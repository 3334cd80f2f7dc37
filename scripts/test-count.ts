/**
 * Reads Vitest's JSON report named in the argument and prints `N passed, N failed` as its last line.
 * Exit code 1 when a test failed, when a file could not be loaded, when none ran, or when there is no report.
 */
import { readFileSync } from 'node:fs';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { name: string; status: string; assertionResults: unknown[] }[];
}

function read(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

const report = read(process.argv[2] ?? '');
const passed = report?.numPassedTests ?? 0;
// A file that cannot be loaded has no tests to fail, and is a failure all the same.
const unloadable =
  report?.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0).length ?? 1;
const failed = (report?.numFailedTests ?? 0) + unloadable;
if (!report) process.stdout.write('There is no report of the tests: they did not run to their end.\n');
if (report && passed + failed === 0) process.stdout.write('No test ran.\n');
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
