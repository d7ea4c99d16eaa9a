"""SQLAlchemy over psycopg2: the ORM with lazy and eager loading, autoflush, SAVEPOINTs, a pool of its own, streamed rows."""
import os
import threading

from sqlalchemy import Column, ForeignKey, Integer, String, create_engine, exc, func, select, text
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload

engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://"), pool_size=8)
Base = declarative_base()


def say(what, value):
    print(f"{what}: {value!r}", flush=True)


class Author(Base):
    __tablename__ = "alch_author"
    id = Column(Integer, primary_key=True)
    name = Column(String, unique=True)
    n = Column(Integer, default=0)
    books = relationship("Book", back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "alch_book"
    id = Column(Integer, primary_key=True)
    title = Column(String)
    author_id = Column(ForeignKey("alch_author.id"))
    author = relationship(Author, back_populates="books")


Base.metadata.drop_all(engine)
Base.metadata.create_all(engine)
with Session(engine) as s:
    s.add_all([Author(name=f"author {i}", books=[Book(title=f"{i}.{j}") for j in range(3)]) for i in range(5)])
    s.commit()
    say("lazy", [[b.title for b in a.books] for a in s.scalars(select(Author).order_by(Author.id))])
    say("select in", [len(a.books) for a in s.scalars(select(Author).options(selectinload(Author.books)).order_by(Author.id))])
    say("joined", [len(a.books) for a in s.scalars(select(Author).options(joinedload(Author.books)).order_by(Author.id)).unique()])
    seen = 0
    for i in range(1, 21):
        s.get(Author, 1).n = i
        s.commit()
        seen += s.get(Author, 1, populate_existing=True).n == i
    say("own writes seen", seen)
    try:
        with s.begin_nested():
            s.add(Author(name="author 1"))
    except exc.IntegrityError as e:
        say("unique in a savepoint", e.orig.pgcode)
    s.rollback()
    say("count", s.scalar(select(func.count()).select_from(Author)))
with engine.connect().execution_options(stream_results=True, max_row_buffer=100) as c:
    say("stream", sum(r[0] for r in c.execute(text("SELECT g FROM generate_series(1, 5000) g"))))
with engine.connect().execution_options(isolation_level="SERIALIZABLE") as c:
    say("level", c.execute(text("SHOW transaction_isolation")).scalar())


def count():
    for _ in range(25):
        with engine.begin() as mine:
            mine.execute(text("UPDATE alch_author SET n = n + 1 WHERE id = 2"))


threads = [threading.Thread(target=count) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
with Session(engine) as s:
    say("counter", s.get(Author, 2).n)
Base.metadata.drop_all(engine)
