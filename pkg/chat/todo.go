package chat

import (
	"fmt"
	"strings"
	"unicode"
)

// ToolTodo is the tool with which a model writes down what is to be done.
const ToolTodo = "todo_write"

// Todo is what is to be done in a conversation, in the order in which it is to be done.
type Todo struct {
	Items []TodoItem `json:"items"`
}

// TodoItem is one thing that is to be done.
type TodoItem struct {
	Text  string    `json:"text"`
	State TodoState `json:"state"`
}

// TodoState says how far a thing is that is to be done.
type TodoState string

// How far a thing is that is to be done.
const (
	TodoOpen  TodoState = "open"
	TodoDoing TodoState = "doing"
	TodoDone  TodoState = "done"
)

// How much a list may hold: all of it goes with messages to the model.
const (
	MaxTodoItems = 50
	MaxTodoText  = 200 // characters of an item
)

// Check says what of a list is not as it should be, and what would be.
func (t Todo) Check() error {
	if len(t.Items) > MaxTodoItems {
		return fmt.Errorf("the list has %d items and may have %d: put small ones together", len(t.Items), MaxTodoItems)
	}
	for i, it := range t.Items {
		switch {
		case strings.TrimSpace(it.Text) == "":
			return fmt.Errorf("item %d has no text", i+1)
		case len([]rune(it.Text)) > MaxTodoText:
			return fmt.Errorf("item %d is longer than %d characters", i+1, MaxTodoText)
		case strings.ContainsFunc(it.Text, unicode.IsControl):
			return fmt.Errorf("item %d must be one line of text", i+1)
		case it.State != TodoOpen && it.State != TodoDoing && it.State != TodoDone:
			return fmt.Errorf("the state of item %d must be open, doing or done", i+1)
		}
	}
	return nil
}

// Open reports whether something of the list is still to be done.
func (t Todo) Open() bool {
	for _, it := range t.Items {
		if it.State != TodoDone {
			return true
		}
	}
	return false
}
