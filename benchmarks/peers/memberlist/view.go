package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/armon/go-metrics"
	"github.com/hashicorp/memberlist"
)

// maxDeaths bounds what a report may hold.
const maxDeaths = 100000

const clockMonotonic = 1

// now is the time of CLOCK_MONOTONIC, in seconds. Go has that clock, but does not tell its reading.
func now() float64 {
	var read syscall.Timespec
	if _, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&read)), 0); failed != 0 {
		panic(failed)
	}
	return float64(read.Sec) + float64(read.Nsec)/1e9
}

// A sight is something that a node may see: one of three forms.
type sight struct {
	Alive *int    `json:"alive"`
	Who   *string `json:"who"`
	Value *string `json:"value"`
	Gone  bool    `json:"gone"`
}

func (s sight) check() error {
	number := s.Alive != nil && s.Who == nil && s.Value == nil && !s.Gone
	member := s.Alive == nil && s.Who != nil && (s.Value != nil) != s.Gone
	if !number && !member {
		return errors.New("see must hold alive, or who and value, or who and gone")
	}
	return nil
}

func (s sight) seenBy(v *view) bool {
	if s.Alive != nil {
		return len(v.living) == *s.Alive
	}
	found, living := v.living[*s.Who]
	if s.Gone {
		return !living
	}
	return living && found == *s.Value
}

// An expectation is what some nodes are yet to see.
type expectation struct {
	see     sight
	names   []string
	pending map[string]bool
	seen    map[string]float64
	all     chan struct{} // closed when nothing is pending any more
}

func (e *expectation) note(v *view, at float64) {
	if !e.pending[v.name] || !e.see.seenBy(v) {
		return
	}
	delete(e.pending, v.name)
	e.seen[v.name] = at
	if len(e.pending) == 0 {
		close(e.all)
	}
}

// A death says who took whom for dead, and when.
type death struct {
	observer, who string
	at            float64
}

// MarshalJSON writes a list of three.
func (d death) MarshalJSON() ([]byte, error) {
	return json.Marshal([]interface{}{d.observer, d.who, d.at})
}

// A book keeps what all nodes of this host see. Its mutex guards its views as well. It is held for a
// few accesses to maps at a time; nothing of the library is called meanwhile.
type book struct {
	suspicions suspicions

	mutex    sync.Mutex
	views    map[string]*view
	expected *expectation
	sizes    map[int]bool
	deaths   []death
}

func newBook() *book {
	made := &book{views: make(map[string]*view), sizes: make(map[int]bool), deaths: []death{}}
	// Suspicions are told to no delegate, but counted by the library, wherever they come from. Without
	// the runtime's own metrics, which would cost time.
	plain := &metrics.Config{TimerGranularity: time.Millisecond, FilterDefault: true}
	if _, err := metrics.NewGlobal(plain, &made.suspicions); err != nil {
		panic(err)
	}
	return made
}

// open returns the empty view of a node that is about to start.
func (b *book) open(name string) *view {
	opened := &view{book: b, name: name, living: make(map[string]string)}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.views[name] = opened
	return opened
}

func (b *book) expect(names []string, see sight) {
	at := now()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.expected = &expectation{
		see: see, names: names, pending: make(map[string]bool), seen: make(map[string]float64), all: make(chan struct{}),
	}
	for _, name := range names {
		b.expected.pending[name] = true
	}
	if len(b.expected.pending) == 0 {
		close(b.expected.all)
	}
	for name := range b.expected.pending {
		if running := b.views[name]; running != nil {
			b.expected.note(running, at)
		}
	}
}

// allSeen is closed when the last node has seen what is expected; nil if nothing is.
func (b *book) allSeen() <-chan struct{} {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.expected == nil {
		return nil
	}
	return b.expected.all
}

type outcome struct {
	Seen    map[string]float64 `json:"seen"`
	Missing []string           `json:"missing"`
}

func (b *book) outcome() outcome {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	told := outcome{Seen: make(map[string]float64), Missing: []string{}}
	for name, at := range b.expected.seen {
		told.Seen[name] = at
	}
	for _, name := range b.expected.names {
		if b.expected.pending[name] {
			told.Missing = append(told.Missing, name)
		}
	}
	return told
}

// reset forgets the past. What the nodes see at this moment, they see after it as well.
func (b *book) reset() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.sizes = make(map[int]bool)
	for _, each := range b.views {
		b.sizes[len(each.living)] = true
	}
	b.deaths = []death{}
	atomic.StoreInt64(&b.suspicions.count, 0)
}

type report struct {
	Sizes      []int   `json:"sizes"`
	Deaths     []death `json:"deaths"`
	Suspicions int64   `json:"suspicions"`
}

func (b *book) report() report {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	told := report{Sizes: []int{}, Deaths: append([]death{}, b.deaths...)}
	for size := range b.sizes {
		told.Sizes = append(told.Sizes, size)
	}
	sort.Ints(told.Sizes)
	told.Suspicions = atomic.LoadInt64(&b.suspicions.count)
	return told
}

// A view is what one node sees: the living members, itself included, with their values. It is a
// memberlist.EventDelegate, so the library tells it at the moment at which the node learns something.
type view struct {
	book   *book
	name   string
	living map[string]string
	closed bool
}

// close makes the view deaf: timers of the library fire even after a shutdown.
func (v *view) close() {
	v.book.mutex.Lock()
	defer v.book.mutex.Unlock()
	v.closed = true
	if v.book.views[v.name] == v {
		delete(v.book.views, v.name)
	}
}

// NotifyJoin is part of memberlist.EventDelegate.
func (v *view) NotifyJoin(n *memberlist.Node) {
	v.learn(now(), func() { v.living[n.Name] = string(n.Meta) })
}

// NotifyUpdate is part of memberlist.EventDelegate.
func (v *view) NotifyUpdate(n *memberlist.Node) {
	v.learn(now(), func() { v.living[n.Name] = string(n.Meta) })
}

// NotifyLeave is part of memberlist.EventDelegate.
func (v *view) NotifyLeave(n *memberlist.Node) {
	at := now()
	died := stateOf(n) == memberlist.StateDead
	v.learn(at, func() {
		delete(v.living, n.Name)
		if died && len(v.book.deaths) < maxDeaths {
			v.book.deaths = append(v.book.deaths, death{v.name, n.Name, at})
		}
	})
}

func (v *view) learn(at float64, change func()) {
	v.book.mutex.Lock()
	defer v.book.mutex.Unlock()
	if v.closed {
		return
	}
	change()
	v.book.sizes[len(v.living)] = true
	if v.book.expected != nil {
		v.book.expected.note(v, at)
	}
}

// nodeState begins like the library's type of that name, which is private.
type nodeState struct {
	memberlist.Node
	Incarnation uint32
	State       memberlist.NodeStateType
}

// stateOf tells the dead from those who left. The node given to NotifyLeave has a field State, but
// the library never sets it: what it sets is the field of the same name in the structure around it,
// of which the node is the first part. The library holds its lock during the call.
func stateOf(n *memberlist.Node) memberlist.NodeStateType {
	state := (*nodeState)(unsafe.Pointer(n)).State
	if state != memberlist.StateDead && state != memberlist.StateLeft {
		fmt.Fprintf(os.Stderr, "%s has gone in state %d: this host does not fit this version of memberlist\n", n.Name, state)
		os.Exit(1)
	}
	return state
}

// suspicions counts how often a node of this process took another for suspect.
type suspicions struct {
	metrics.BlackholeSink
	count int64
}

// IncrCounterWithLabels is part of metrics.MetricSink; all counters of the library come here.
func (s *suspicions) IncrCounterWithLabels(key []string, _ float32, _ []metrics.Label) {
	if len(key) == 3 && key[1] == "msg" && key[2] == "suspect" {
		atomic.AddInt64(&s.count, 1)
	}
}
