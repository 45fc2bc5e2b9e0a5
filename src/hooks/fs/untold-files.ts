import { UntoldFiles } from '../../native/files/untold-files.js';

/**
 * Files that are left to the thread pool without a question, by descriptor or path. A question for each read would cost more than the pool
 * does by itself: files of a container's image that another user owns are read in many pieces.
 */
export const untoldFiles = new UntoldFiles<number | string>();
