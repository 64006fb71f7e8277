package runs

import (
	"context"
	"fmt"
	"log/slog"
	"path"

	"golang.org/x/sync/errgroup"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Attachment is a file that a message brings along: one of the workspace, or what came
// with the request itself.
type Attachment struct {
	Path string
	Name string // of Body, for people
	Body []byte // used where Path is empty
}

// attachments are the files that stand with the messages of one life of a session.
type attachments struct {
	*env
	user    *users.User
	session string
	epoch   uint64
}

// brought names files as an Idempotency-Key stands for them: by what the sender said,
// since the same request must give the same answer whatever became of the file.
func brought(all []Attachment) []string {
	var out []string
	for _, a := range all {
		if a.Path == "" {
			out = append(out, "sha256 "+users.HashOf(a.Body))
			continue
		}
		out = append(out, "path "+a.Path)
	}
	return out
}

// attach reads the files that a message brings along, makes what the model is shown of
// them and keeps both with this life of the session. done says that the message was
// taken in before, and run is what its sender was told then. Nothing is kept of a
// message that would be refused. before are the files of the messages that an empty
// session begins with.
func (s *open) attach(ctx context.Context, msg *session.Message, all []Attachment, before [][]Attachment) (run chat.Run, done bool, err error) {
	earlier := 0
	for _, e := range before {
		earlier += len(e)
	}
	if len(all)+earlier == 0 {
		return chat.Run{}, false, nil
	}
	s.mu.Lock()
	sub, err := s.state.Submit(*msg, s.self, s.Now())
	begun := s.state.Seq() > 0
	s.mu.Unlock()
	if err != nil || sub.Repeated {
		return sub.Run, sub.Repeated, err
	}
	at := s.attachments()
	for i, a := range all {
		if _, _, err := at.fetch(ctx, a, i); err != nil {
			return chat.Run{}, false, err
		}
	}
	if msg.Attached, err = at.keep(ctx, all); err != nil || begun {
		return chat.Run{}, false, err
	}
	first := len(before) - len(msg.Earlier)
	for i := range msg.Earlier {
		if msg.Earlier[i].Attached, err = at.keep(ctx, at.readable(ctx, before[first+i])); err != nil {
			return chat.Run{}, false, err
		}
	}
	return chat.Run{}, false, nil
}

func (s *open) attachments() *attachments {
	return &attachments{s.env, s.user, s.id, s.state.Epoch()}
}

// readable leaves out what nothing can be read of.
func (s *attachments) readable(ctx context.Context, all []Attachment) (out []Attachment) {
	for i, a := range all {
		if _, _, err := s.fetch(ctx, a, i); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// fetch gives a file's bytes and its type, or why a message cannot bring it along.
func (s *attachments) fetch(ctx context.Context, a Attachment, i int) ([]byte, attach.Type, error) {
	body, name := a.Body, a.Path
	if a.Path == "" {
		name = a.Name
	} else {
		var err error
		if body, err = s.user.Files.Read(ctx, a.Path); err != nil {
			return nil, attach.Type{}, err
		}
	}
	if len(body) > files.MaxFile {
		return nil, attach.Type{}, fault.New(fault.CodeTooLarge, fmt.Sprintf("attachments[%d]: %q has %d bytes; at most %d MiB are read", i, name, len(body), files.MaxFile>>20), "attach a smaller file")
	}
	is := attach.Detect(body)
	if a.Path == "" && is.Kind != attach.Image {
		return nil, is, fault.New(fault.CodeUnsupported, name+" is no PNG, JPEG, WebP or GIF", "send an image, or put the file into the workspace and name it in attachments of POST /api/chat")
	}
	if is.Kind == attach.Unknown {
		return nil, is, fault.New(fault.CodeUnreadable, fmt.Sprintf("attachments[%d]: %q is nothing that can be read", i, name),
			"attach text, PDF, Word (.docx), Excel (.xlsx), PowerPoint (.pptx), PNG, JPEG, WebP or GIF; what counts is what the file holds, not its name")
	}
	return body, is, nil
}

// keep makes what the model is shown of files, one after the other, and keeps it.
func (s *attachments) keep(ctx context.Context, all []Attachment) ([]session.Attached, error) {
	var out []session.Attached
	for i, a := range all {
		body, is, err := s.fetch(ctx, a, i)
		if err != nil {
			return nil, err
		}
		view, err := s.Reader.Read(ctx, body, is, s.textRoom(len(all)))
		if err != nil {
			return nil, fault.Wrap(err, fault.CodeUnavailable, "the attachments cannot be read now", "send the message again with the same Idempotency-Key")
		}
		kept := session.Attached{Attachment: chat.Attachment{
			Path: a.Path, Name: a.Name, MediaType: is.MediaType, Size: int64(len(body)), SHA256: users.HashOf(body), Error: view.Problem,
		}}
		if a.Path != "" {
			if kept.Path, err = files.Clean(a.Path); err != nil {
				return nil, err
			}
			kept.Name = path.Base(kept.Path)
		}
		if err := s.user.Attach(ctx, s.session, s.epoch, body); err != nil {
			return nil, err
		}
		if view.Problem == "" {
			kept.View = &session.View{
				SHA256: users.HashOf(view.Data), MediaType: view.MediaType, Size: len(view.Data), Width: view.Width, Height: view.Height, Whole: view.Whole,
			}
			if kept.View.SHA256 != kept.SHA256 {
				if err := s.user.Attach(ctx, s.session, s.epoch, view.Data); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, kept)
	}
	return out, nil
}

// textRoom is how much of the text of each of some files a model is shown: together
// they leave half of its room for the rest of the conversation.
func (s *attachments) textRoom(files int) int {
	return min(attach.MaxText, session.RoomOf(s.Window, s.AnswerTokens, 0)/2) / max(files, 1)
}

// loaders is how many files are read at once.
const loaders = 4

// show loads what a model is shown of the files of a conversation. What the store has
// lost is a line; a store that does not answer is an error, since a conversation that
// lacks something would be another one.
func (s *attachments) show(ctx context.Context, messages []loop.Message) error {
	loop.LimitImages(messages, loop.MaxImages, loop.MaxImageBytes)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(loaders)
	for i := range messages {
		for k := range messages[i].Attached {
			a := &messages[i].Attached[k]
			if a.Problem != "" || a.IsImage() && (!s.Vision || a.Shown.Left) {
				continue
			}
			g.Go(func() error {
				data, err := s.user.Attached(ctx, s.session, s.epoch, a.Shown.Hash)
				if fault.CodeOf(err) == fault.CodeDamaged {
					s.Log.Error("what stands with a message is lost", slog.String("session", s.session), slog.Any("error", err))
					a.Problem = "the store has lost it"
					return nil
				}
				a.Shown.Data = data
				return err
			})
		}
	}
	return g.Wait()
}
