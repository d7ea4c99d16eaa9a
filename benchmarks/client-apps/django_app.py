"""Django: its own migrations, models, select_related and prefetch_related, atomic, server-side cursors, select_for_update."""
import os
import threading
from urllib.parse import urlsplit

import django
from django.conf import settings

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": url.hostname, "PORT": url.port, "USER": url.username,
                           "PASSWORD": url.password, "NAME": url.path[1:], "CONN_MAX_AGE": 60}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"], USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, transaction  # noqa: E402


def say(what, value):
    print(f"{what}: {value!r}", flush=True)


TABLES = ["auth_group_permissions", "auth_user_groups", "auth_user_user_permissions", "auth_group", "auth_user", "auth_permission",
          "django_content_type", "django_migrations"]


def drop():
    with connection.cursor() as c:
        c.execute("DROP TABLE IF EXISTS " + ", ".join(TABLES) + " CASCADE")


drop()
call_command("migrate", verbosity=0)
say("migrated", Permission.objects.count())
for i in range(5):
    user = User.objects.create_user(f"user {i}", password="x")
    user.groups.add(*[Group.objects.get_or_create(name=f"group {j}")[0] for j in range(i)])
say("lazy", [sorted(g.name for g in u.groups.all()) for u in User.objects.order_by("id")])
say("prefetched", [len(u.groups.all()) for u in User.objects.order_by("id").prefetch_related("groups")])
say("related", [p.content_type.model for p in Permission.objects.select_related("content_type").order_by("id")[:5]])
seen = 0
for i in range(20):
    User.objects.filter(username="user 1").update(first_name=str(i))
    seen += User.objects.get(username="user 1").first_name == str(i)
say("own writes seen", seen)
with transaction.atomic():
    User.objects.create_user("kept")
    try:
        with transaction.atomic():
            User.objects.create_user("kept")
    except IntegrityError as e:
        say("unique in a savepoint", e.__cause__.pgcode)
try:
    with transaction.atomic():
        User.objects.create_user("gone")
        raise KeyError
except KeyError:
    pass
say("users", list(User.objects.order_by("id").values_list("username", flat=True)))
Group.objects.bulk_create([Group(name=f"bulk {i}") for i in range(1000)], batch_size=100)
say("iterated", sum(1 for _ in Group.objects.iterator(chunk_size=100)))


def count():
    for _ in range(25):
        with transaction.atomic():
            group = Group.objects.select_for_update().get(name="group 0")
            permission = User.objects.get(username="kept")
            User.objects.filter(pk=permission.pk).update(last_name=str(int(permission.last_name or 0) + 1))
            group.save()
    connection.close()


threads = [threading.Thread(target=count) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
say("counter", User.objects.get(username="kept").last_name)
drop()
