/** Throws while it is loaded. */
throw new Error('a module that is missing');
