// Package shell judges and runs the command lines of exec_shell.
//
// Owns: the policy over commands (what runs unasked, what never runs), the
// interpreter's sandbox to files and programs, small commands in Go that work in
// an image without a shell, and the working copy that a command sees.
// Touches: one folder for each user, through os.Root; the programs of PATH, for
// commands that the user approved.
// Never: calls a system shell to interpret a line, gives a program the agent's
// environment, or lets a command that nobody approved write or start anything.
// An approved program is a process of the agent's user: what such a process may
// reach is the image's business, which is why it is approved.
package shell
