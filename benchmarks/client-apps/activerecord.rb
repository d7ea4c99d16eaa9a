# Active Record (Rails): migrations under its advisory lock, associations, prepared statements, a pool of threads.
require 'active_record'
require 'logger'

def say(what, value)
  puts "#{what}: #{value.inspect}"
  $stdout.flush
end

class Author < ActiveRecord::Base
  self.table_name = 'rails_authors'
  has_many :books, -> { order(:id) }
end

class Book < ActiveRecord::Base
  self.table_name = 'rails_books'
  belongs_to :author
end

class First < ActiveRecord::Migration[6.1]
  def change
    create_table(:rails_authors) { |t| t.string :name, index: { unique: true }; t.integer :n, default: 0 }
    create_table(:rails_books) { |t| t.string :title; t.references :author, foreign_key: { to_table: :rails_authors } }
  end
end

class Second < ActiveRecord::Migration[6.1]
  disable_ddl_transaction!
  def change
    add_column :rails_authors, :later, :integer, default: 7
    add_index :rails_books, :title, algorithm: :concurrently
  end
end

ActiveRecord::Base.establish_connection(ENV['DATABASE_URL'].sub('postgres://', 'postgresql://') + '?pool=8')
ActiveRecord::Migration.verbose = false
connection = ActiveRecord::Base.connection
connection.execute('DROP TABLE IF EXISTS rails_books, rails_authors, schema_migrations, ar_internal_metadata')
Migrations = Struct.new(:version, :name, :type) do
  def filename = ''
  def scope = ''
  def disable_ddl_transaction = type.disable_ddl_transaction
  def migrate(direction) = type.new(name, version).migrate(direction)
end
schema = ActiveRecord::SchemaMigration
first = ActiveRecord::Migrator.new(:up, [Migrations.new(1, 'First', First)], schema)
first.migrate
5.times { |i| Author.create!(name: "author #{i}").books.create!([{ title: "#{i}.1" }, { title: "#{i}.2" }]) }
12.times { Author.find_by(id: 1) }
ActiveRecord::Migrator.new(:up, [Migrations.new(1, 'First', First), Migrations.new(2, 'Second', Second)], schema).migrate
Author.reset_column_information
say 'after a new column', Author.find(1).attributes
say 'lazy', Author.order(:id).map { |a| a.books.map(&:title) }
say 'included', Author.includes(:books).order(:id).map { |a| a.books.size }
say 'own writes seen', (1..30).count { |i| Author.where(id: 1).update_all(n: i); Author.find(1).n == i }
Author.transaction do
  Author.create!(name: 'kept')
  begin
    Author.transaction(requires_new: true) { Author.create!(name: 'kept') }
  rescue ActiveRecord::RecordNotUnique => e
    say 'unique in a savepoint', e.class
  end
end
Author.transaction { Author.create!(name: 'gone'); raise ActiveRecord::Rollback }
say 'names', Author.order(:id).pluck(:name)
say 'in batches', Author.find_each(batch_size: 2).sum(&:id)
say 'lock', connection.get_advisory_lock(4713)
say 'unlock', connection.release_advisory_lock(4713)
threads = Array.new(8) { Thread.new { 25.times { ActiveRecord::Base.connection_pool.with_connection { Author.find(2).with_lock { Author.where(id: 2).update_all('n = n + 1') } } } } }
threads.each(&:join)
say 'counter', Author.find(2).n
connection.execute('DROP TABLE rails_books, rails_authors, schema_migrations, ar_internal_metadata')
