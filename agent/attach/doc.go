// Package attach decides what a file is and makes of it what a model is shown: an
// image without metadata and not larger than providers take, or text.
//
// The kind is decided by what a file contains, never by its name. What is shown is
// made once, when a message is taken in, and kept with it: a model finds the same
// bytes in every later request, also after another version of this package.
//
// Owns: the kinds of files, their limits, reading images and documents.
// Touches: a process of its own, in which whatever others may have written is
// decoded; text alone is read here.
// Never: decodes an image or opens an archive in the agent; follows what a file
// refers to.
package attach
