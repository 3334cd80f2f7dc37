/** The version of Rounds that this is. */
import manifest from '../package.json' with { type: 'json' };

/** As in package.json, such as `1.4.0`. */
export const VERSION: string = manifest.version;
