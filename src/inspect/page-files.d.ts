// scripts/build.js makes page-files.js from page/.

/** page/page.html, which refers to the other two. */
export declare const HTML: string;

/** page/page.css. */
export declare const STYLE: string;

/** page/page.ts with all that it imports, for browsers. */
export declare const SCRIPT: string;
