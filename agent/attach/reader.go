package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// Task is the name of the worker's task that Work does.
const Task = "attachment"

// Worker does a task in a process of its own.
type Worker interface {
	Run(ctx context.Context, t worker.Task) ([]byte, error)
}

// The limits of one task. An image of MaxPixels takes 160 MB when it is decoded; the
// agent and one such task fit into a container of 256 MiB.
const (
	taskTime   = 30 * time.Second // a container has a part of a processor
	taskMemory = 204 << 20
	taskOutput = MaxImage + MaxText + 64<<10
)

// MaxText bounds the text that is shown of all files of one message, whatever the
// model's window.
const MaxText = 256 << 10

// Reader makes views. One file is decoded at a time: two large ones would not fit.
type Reader struct {
	worker Worker
	turn   chan struct{}
}

var errNoWorker = errors.New("attach: this agent has no worker process")

// NewReader makes a reader over a worker. Without one it reads texts only.
func NewReader(w Worker) *Reader { return &Reader{worker: w, turn: make(chan struct{}, 1)} }

// request is a task's header; the file follows it.
type request struct {
	Type Type `json:"type"`
	Room int  `json:"room"`
}

// Read makes the view of a file that Detect has said the type of, with so much room
// for text. An error means that the file could not be looked at for now; what is wrong
// with the file itself is in the view.
func (r *Reader) Read(ctx context.Context, body []byte, t Type, room int) (View, error) {
	switch {
	case len(body) == 0:
		return problem(problemEmpty), nil
	case t.Kind == Text:
		text, _ := readText(body)
		return textView(text, room), nil
	case t.Kind == Sealed:
		return problem(problemEncrypted), nil
	}
	if r.worker == nil {
		return View{}, errNoWorker
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return View{}, ctx.Err()
	}
	head, err := json.Marshal(request{t, room})
	if err != nil {
		return View{}, fmt.Errorf("attach: %w", err)
	}
	out, err := r.worker.Run(ctx, worker.Task{
		Name: Task, Input: append(append(head, '\n'), body...), Time: taskTime, Memory: taskMemory, Output: taskOutput,
	})
	switch {
	case err == nil:
		return decodeView(out)
	case ctx.Err() != nil:
		return View{}, ctx.Err()
	case errors.Is(err, worker.ErrTime):
		return problem(problemTime), nil
	case errors.Is(err, worker.ErrMemory):
		return problem(problemMemory), nil
	case errors.Is(err, worker.ErrFailed): // a decoder panicked: it will again
		return problem(problemInside), nil
	}
	return View{}, fmt.Errorf("attach: %w", err)
}

// Work makes a view as a task of package worker.
func Work(ctx context.Context, input []byte) ([]byte, error) {
	head, body, _ := bytes.Cut(input, []byte("\n"))
	var q request
	if err := json.Unmarshal(head, &q); err != nil {
		return nil, fmt.Errorf("attach: read a request: %w", err)
	}
	return look(ctx, body, q).encode()
}

// look reads a file by its kind.
func look(_ context.Context, body []byte, q request) View {
	switch q.Type.Kind {
	case Image:
		return imageView(body, q.Type.MediaType)
	case PDF:
		return pdfView(body, q.Room)
	case Word, Sheet, Slides:
		return officeView(body, q.Room)
	}
	return problem(problemInside)
}
