// Package worker does what hostile input could make endless, or too large, in a
// process of its own: the agent's own program, started again.
//
// A goroutine that computes cannot be stopped and its memory cannot be bounded;
// a process can be killed. So whatever the agent computes itself for a tool, on
// text that others chose, is a Task of a Pool.
//
// Owns: how a task and its result pass between the two processes, and the limits
// on time, memory and output.
// Touches: the processes that it starts; their limits, from inside of them.
// Never: gives a child the agent's environment, an open file or more than the
// task's input; runs a task in the agent itself.
package worker
