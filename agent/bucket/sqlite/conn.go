package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// conn is a connection, which one goroutine uses at a time. It calls the driver
// itself: each connection here has one owner for as long as it lives, so the pool, the
// locks and the conversions of database/sql would guard nothing, and they cost as much
// CPU as a read of a small object does.
type conn struct {
	of         driver.Conn
	statements []*statement
}

// connect opens a connection and sets its pragmas.
func connect(ctx context.Context, to driver.Connector) (*conn, error) {
	of, err := to.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{of: of}
	for _, p := range pragmas {
		if err := c.exec(ctx, "PRAGMA "+p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// close ends the connection. Its statements come first: with one left SQLite keeps the
// database open behind it, and the last close would not clear the log away.
func (c *conn) close() error {
	for _, s := range c.statements {
		_ = s.of.Close() // it has told its error where it was used
	}
	c.statements = nil
	return c.of.Close()
}

var errDriver = errors.New("the driver lacks a method that this package needs")

// exec runs statements that are run rarely.
func (c *conn) exec(ctx context.Context, text string, args ...driver.Value) error {
	e, ok := c.of.(driver.ExecerContext)
	if !ok {
		return errDriver
	}
	_, err := e.ExecContext(ctx, text, named(nil, args))
	return err
}

// query asks what is asked rarely, and gives its rows to each.
func (c *conn) query(ctx context.Context, text string, args []driver.Value, each func([]driver.Value) error) error {
	q, ok := c.of.(driver.QueryerContext)
	if !ok {
		return errDriver
	}
	rows, err := q.QueryContext(ctx, text, named(nil, args))
	if err != nil {
		return err
	}
	return eachRow(rows, make([]driver.Value, len(rows.Columns())), each)
}

// numbers asks for one row of numbers.
func (c *conn) numbers(ctx context.Context, text string, into ...*int64) error {
	return c.query(ctx, text, nil, func(v []driver.Value) error {
		for i, n := range into {
			var ok bool
			if *n, ok = v[i].(int64); !ok {
				return fmt.Errorf("%s gave %v", text, v)
			}
		}
		return errEnough
	})
}

// statement is one that is prepared once for a connection. Its arguments and values
// are the same memory each time.
type statement struct {
	of interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	args []driver.NamedValue
	row  []driver.Value
}

func (c *conn) prepare(ctx context.Context, text string) (*statement, error) {
	p, ok := c.of.(driver.ConnPrepareContext)
	if !ok {
		return nil, errDriver
	}
	of, err := p.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s := &statement{}
	if s.of, ok = of.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}); !ok {
		return nil, errors.Join(errDriver, of.Close())
	}
	c.statements = append(c.statements, s)
	return s, nil
}

// toPrepare is a statement that is to be prepared.
type toPrepare struct {
	into **statement
	text string
}

func (c *conn) prepareAll(ctx context.Context, all []toPrepare) error {
	for _, one := range all {
		var err error
		if *one.into, err = c.prepare(ctx, one.text); err != nil {
			return err
		}
	}
	return nil
}

// Statements run without a context that can end: the driver starts a goroutine for one
// that can, and each of them is short.

// exec changes something.
func (s *statement) exec(args ...driver.Value) (driver.Result, error) {
	defer s.forget()
	s.args = named(s.args, args)
	return s.of.ExecContext(context.Background(), s.args)
}

// first gives the first row to take, and reports whether there is one.
func (s *statement) first(take func([]driver.Value) error, args ...driver.Value) (found bool, err error) {
	err = s.each(func(v []driver.Value) error {
		found = true
		if err := take(v); err != nil {
			return err
		}
		return errEnough
	}, args...)
	return found, err
}

// errEnough ends a query of which no more rows are wanted.
var errEnough = errors.New("enough")

// each gives all rows to take, one after the other. What is given is overwritten by
// the next one.
func (s *statement) each(take func([]driver.Value) error, args ...driver.Value) error {
	defer s.forget()
	s.args = named(s.args, args)
	rows, err := s.of.QueryContext(context.Background(), s.args)
	if err != nil {
		return err
	}
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	return eachRow(rows, s.row, take)
}

// forget lets go of bodies, which may be large.
func (s *statement) forget() {
	clear(s.args)
	clear(s.row)
}

func eachRow(rows driver.Rows, v []driver.Value, take func([]driver.Value) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		switch err := rows.Next(v); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch err := take(v); {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		}
	}
}

// named are arguments as the driver takes them.
func named(in []driver.NamedValue, args []driver.Value) []driver.NamedValue {
	in = in[:0]
	for i, a := range args {
		in = append(in, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return in
}
